package nn

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Imported returns an imported graph as a network, for images of a size: its Taps are the
// last feature maps of each stride, and Tap finds any other.
func Imported(g *onnx.Graph, height, width int64) (*Network, error) {
	return importNetwork(g, onnx.Shape{0, 3, height, width})
}

// FeatureMaps lists what can be tapped of the network, in the order of its nodes.
func (n *Network) FeatureMaps() []Tap {
	var all []Tap
	for _, node := range n.Graph.Nodes {
		for _, v := range node.Out {
			if v == nil {
				continue
			}
			if t, err := n.tap(v); err == nil {
				all = append(all, t)
			}
		}
	}
	return all
}

// importNetwork makes a Network of an imported graph, g, for images of the given shape
// (N, C, H, W); g stays as it is. Parameters are the float32 constants that layers learn, whose
// first values are those they have; taps are the last feature maps of each stride.
//
// A graph that was exported for one size may end in layers that fit no other. They have
// no shapes then, and only taps before them can be used.
func importNetwork(g *onnx.Graph, shape onnx.Shape) (*Network, error) {
	if len(g.Inputs) == 0 {
		return nil, fmt.Errorf("backbone %s has no input", g.Name)
	}
	in := g.Inputs[0]
	if in.DType != tensor.Float32 || len(in.Shape) != 4 || in.Shape[1] >= 0 && in.Shape[1] != shape[1] {
		return nil, fmt.Errorf("backbone %s: input %q is %s%v, want an image, float32 [N,%d,H,W]",
			g.Name, in.Name, in.DType, in.Shape, shape[1])
	}
	n := &Network{Graph: shapeless(g)}
	n.Graph.Inputs[0].Shape = onnx.Shape{n.Graph.Symbols.Dim("N"), shape[1], shape[2], shape[3]}
	misfit := onnx.Infer(n.Graph)
	n.Params, n.init = learned(n.Graph), map[*onnx.Value]Initialiser{}
	for _, p := range n.Params {
		n.init[p] = keep(p)
	}
	n.Taps = lastOfStrides(n)
	if len(n.Taps) == 0 && misfit != nil {
		return nil, fmt.Errorf("backbone %s does not take images of %d×%d: %w", g.Name, shape[3], shape[2], misfit)
	}
	return n, takesSeveral(g, n)
}

// takesSeveral fails where no feature map of n, made of g, is left when two images come at
// once, as in training: torchvision's detectors take the first of a list apart at their very
// beginning.
func takesSeveral(g *onnx.Graph, n *Network) error {
	two := &Network{Graph: shapeless(g)}
	two.Graph.Inputs[0].Shape = slices.Clone(n.Graph.Inputs[0].Shape)
	two.Graph.Inputs[0].Shape[0] = 2
	if err := onnx.Infer(two.Graph); err != nil && len(n.Taps) > 0 && len(lastOfStrides(two)) == 0 {
		return fmt.Errorf("backbone %s takes one image at a time, and training shows it several: %w", g.Name, err)
	}
	return nil
}

// shapeless copies nodes and values of g, without the shapes of what nodes compute.
// Constants, their elements and attributes are shared.
func shapeless(g *onnx.Graph) *onnx.Graph {
	copied := map[*onnx.Value]*onnx.Value{}
	value := func(v *onnx.Value) *onnx.Value {
		if v == nil || v.IsConst() {
			return v
		}
		if copied[v] == nil {
			copied[v] = &onnx.Value{Name: v.Name, DType: v.DType}
		}
		return copied[v]
	}
	values := func(all []*onnx.Value) []*onnx.Value {
		out := make([]*onnx.Value, len(all))
		for i, v := range all {
			out[i] = value(v)
		}
		return out
	}
	c := &onnx.Graph{Name: g.Name, Symbols: slices.Clone(g.Symbols), Domains: g.Domains}
	for _, v := range g.Inputs {
		value(v).Shape = slices.Clone(v.Shape)
	}
	c.Inputs = values(g.Inputs)
	for _, n := range g.Nodes {
		node := &onnx.Node{Name: n.Name, Op: n.Op, Domain: n.Domain, In: values(n.In), Out: values(n.Out), Attrs: n.Attrs}
		for _, v := range node.Out {
			if v != nil {
				v.Node = node
			}
		}
		c.Nodes = append(c.Nodes, node)
	}
	c.Outputs = values(g.Outputs)
	return c
}

// learnedInputs are the inputs that layers learn, by operator. BatchNormalization's
// running statistics are not among them.
var learnedInputs = map[string][]int{
	"Conv": {1, 2}, "ConvTranspose": {1, 2}, "Gemm": {1, 2}, "MatMul": {0, 1}, "PRelu": {1},
	"BatchNormalization": {1, 2}, "InstanceNormalization": {1, 2}, "LayerNormalization": {1, 2}, "GroupNormalization": {1, 2},
}

// learned returns the constants of g that layers learn, in the order of use.
func learned(g *onnx.Graph) []*onnx.Value {
	var params []*onnx.Value
	for _, n := range g.Nodes {
		for _, i := range learnedInputs[n.Op] {
			if v := n.Input(i); v != nil && v.IsConst() && v.DType == tensor.Float32 && n.Domain == "" && !slices.Contains(params, v) {
				params = append(params, v)
			}
		}
	}
	return params
}

// tappable are the operators that end a stage of a network.
var tappable = []string{
	"Conv", "BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Elu", "Clip", "HardSwish", "Mul",
	"Add", "Sum", "Concat", "MaxPool", "AveragePool",
}

// lastOfStrides returns the last feature map of each stride from 2 on, finest first.
func lastOfStrides(n *Network) []Tap {
	last := map[int64]Tap{}
	for _, node := range n.Graph.Nodes {
		if !slices.Contains(tappable, node.Op) {
			continue
		}
		if t, err := n.tap(node.Out[0]); err == nil && t.Stride > 1 && t.Value.Shape[2] > 1 {
			last[t.Stride] = t
		}
	}
	var taps []Tap
	for _, t := range last {
		taps = append(taps, t)
	}
	slices.SortFunc(taps, func(a, b Tap) int { return int(a.Stride - b.Stride) })
	return taps
}
