package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// FineTune makes a network of a whole model that gives scores of classes for a picture,
// (N, Classes), or for each of its places, (N, Classes, H, W), to be trained further: an
// imported one, or one that was trained before. g stays as it is.
//
// Input and output are g's, but that a Softmax, Sigmoid or ArgMax at the end is left out:
// the output is called "logits". The last layer keeps its weights if it is of as many
// classes, and is new otherwise; so do all whose sum the scores are (LR-ASPP's two).
// Parameters are "backbone." and the constants' names, then "head.weight" and "head.bias",
// the last layer's, of the second "head2.weight" and so on.
func FineTune(g *onnx.Graph, classes, height, width int64) (*Network, error) {
	n, err := importNetwork(g, onnx.Shape{0, 3, height, width})
	if err != nil {
		return nil, err
	}
	if len(n.Graph.Outputs) != 1 {
		return nil, fmt.Errorf("model %s has %d outputs, want the scores of classes alone", g.Name, len(n.Graph.Outputs))
	}
	y := n.Graph.Outputs[0]
	for y.Node != nil && slices.Contains([]string{"Softmax", "LogSoftmax", "Sigmoid", "ArgMax"}, y.Node.Op) {
		y = y.Node.In[0]
	}
	n.Graph.Outputs = []*onnx.Value{y}
	layers := lastLayers(y)
	if layers == nil {
		return nil, fmt.Errorf("model %s: no Conv or Gemm with constant weights gives its scores %q", g.Name, y.Name)
	}
	n.ownNames(layers)
	for i, layer := range layers {
		name := "head"
		if i > 0 {
			name = fmt.Sprintf("head%d", i+1)
		}
		n.renewHead(layer, name, classes)
	}
	y.Name = "logits"
	onnx.RemoveDead(n.Graph)
	if err := onnx.Infer(n.Graph); err != nil {
		return nil, fmt.Errorf("model %s with %d classes: %w", g.Name, classes, err)
	}
	if s := y.Shape; len(s) != 2 && len(s) != 4 || s[1] != classes {
		return nil, fmt.Errorf("model %s answers %v, want [N,%d] or [N,%d,H,W]", g.Name, y.Shape, classes, classes)
	}
	return n, nil
}

// lastLayers returns the layer whose output, moved or enlarged, is y, or those whose outputs'
// sum is; nil if there is none.
func lastLayers(y *onnx.Value) []*onnx.Node {
	for n := y.Node; n != nil; n = n.In[0].Node {
		switch n.Op {
		case "Conv", "Gemm":
			if n.Input(1) != nil && n.In[1].IsConst() && n.Int("group", 1) == 1 && (n.Input(2) == nil || n.In[2].IsConst()) {
				return []*onnx.Node{n}
			}
			return nil
		case "Add":
			a, b := lastLayers(n.In[0]), lastLayers(n.In[1])
			if a == nil || b == nil || slices.ContainsFunc(a, func(l *onnx.Node) bool { return slices.Contains(b, l) }) {
				return nil
			}
			return append(a, b...)
		case "Resize", "Identity", "Flatten", "Reshape", "Squeeze":
		default:
			return nil
		}
	}
	return nil
}

// ownNames gives every constant that is learned a twin of the network's own, under the
// backbone's prefix, but for the last layers'.
func (n *Network) ownNames(last []*onnx.Node) {
	twins := map[*onnx.Value]*onnx.Value{}
	taken := map[string]bool{}
	var params []*onnx.Value
	for _, p := range n.Params {
		name := backbonePrefix + "." + p.Name
		for taken[name] {
			name += "_"
		}
		taken[name] = true
		twin := *p
		twin.Name, twins[p] = name, &twin
		n.init[&twin] = keep(p)
		if !slices.ContainsFunc(last, func(l *onnx.Node) bool { return slices.Contains(l.In, p) }) {
			params = append(params, &twin)
		}
	}
	for _, node := range n.Graph.Nodes {
		for i, v := range node.In {
			if twin := twins[v]; twin != nil {
				node.In[i] = twin
			}
		}
	}
	n.Params = params
}

// renewHead makes the layer's weights and bias parameters of a name, new ones where it is of
// another number of classes.
func (n *Network) renewHead(layer *onnx.Node, name string, classes int64) {
	w := *layer.In[1]
	axis := 0
	if layer.Op == "Gemm" && layer.Int("transB", 0) == 0 {
		axis = 1
	}
	same := w.Shape[axis] == classes
	b := onnx.Value{DType: tensor.Float32}
	if len(layer.In) > 2 && layer.In[2] != nil && same {
		b = *layer.In[2]
	} else {
		b.Data = tensor.Of([]int64{classes}, make([]float32, classes))
		b.Shape = onnx.Shape{classes}
	}
	w.Name, b.Name = name+".weight", name+".bias"
	n.init[&w], n.init[&b] = keep(&w), keep(&b)
	if !same {
		w.Shape = slices.Clone(w.Shape)
		w.Shape[axis] = classes
		w.Data = tensor.Of(w.Shape, make([]float32, tensor.Size(w.Shape)))
		n.init[&w] = GlorotUniform
	}
	layer.In = []*onnx.Value{layer.In[0], &w, &b}
	n.Params = append(n.Params, &w, &b)
}

// keep is an Initialiser that leaves a parameter what it is.
func keep(p *onnx.Value) Initialiser {
	data, _ := tensor.Data[float32](p.Data)
	return func([]int64, *rand.Rand) []float32 { return slices.Clone(data) }
}
