package zoo

import (
	"fmt"

	"trilobite/onnx"
	"trilobite/tensor"
)

// StateDict returns the weights of a network of package nn, which card.Convert names, under
// PyTorch's names, taken from its simplified graph.
//
// BatchNorms were folded into the convolutions before them. They come out as what does
// nothing more than add the bias, so that the network computes the same: weight 1, bias the
// convolution's, mean 0, variance 1 − ε. In PyTorch's training mode they behave otherwise
// than the ones that were trained.
func StateDict(card Card, g *onnx.Graph) (map[string]*tensor.Tensor, error) {
	if card.Convert.Format != "torch" {
		return nil, invalidf("%s was not made of a network that has PyTorch's names; export it as .onnx.", card.Name)
	}
	probe, err := network(card.Convert.Network, 2, 0, 0)
	if err != nil {
		return nil, invalidf("%s: %v.", card.Name, err)
	}
	have := layersByWeight(g)
	last := have[probe.Params[len(probe.Params)-2].Name]
	if last == nil {
		return nil, invalidf("the graph of %s has no weights %q.", card.Name, probe.Params[len(probe.Params)-2].Name)
	}
	net, err := network(card.Convert.Network, int(last.In[1].Shape[0]), 0, 0)
	if err != nil {
		return nil, err
	}
	norms := map[*onnx.Value]*onnx.Node{}
	for _, n := range net.Graph.Nodes {
		if n.Op == "BatchNormalization" {
			norms[n.In[0]] = n
		}
	}
	out := map[string]*tensor.Tensor{}
	for _, n := range net.Graph.Nodes {
		if n.Op != "Conv" && n.Op != "Gemm" {
			continue
		}
		layer := have[n.In[1].Name]
		if layer == nil || tensor.Size(layer.In[1].Shape) != tensor.Size(n.In[1].Shape) {
			return nil, invalidf("the graph of %s has no weights %q %v.", card.Name, n.In[1].Name, n.In[1].Shape)
		}
		out[n.In[1].Name] = layer.In[1].Data
		bias := tensor.Of(n.In[1].Shape[:1], make([]float32, n.In[1].Shape[0]))
		if layer.Input(2) != nil {
			bias = layer.In[2].Data
		}
		norm := norms[n.Out[0]]
		if norm == nil {
			if n.Input(2) == nil && layer.Input(2) != nil {
				return nil, fmt.Errorf("%s: %q has a bias that PyTorch's layer has not", card.Name, n.In[1].Name)
			} else if n.Input(2) != nil {
				out[n.In[2].Name] = bias
			}
			continue
		}
		if n.Input(2) != nil {
			out[n.In[2].Name] = constant(bias.Len(), 0)
		}
		out[norm.In[1].Name], out[norm.In[2].Name] = constant(bias.Len(), 1), bias
		out[norm.In[3].Name], out[norm.In[4].Name] = constant(bias.Len(), 0), constant(bias.Len(), 1-norm.Float("epsilon", 1e-5))
	}
	for _, p := range net.Params {
		if out[p.Name] == nil {
			return nil, invalidf("the graph of %s has nothing for %q.", card.Name, p.Name)
		}
	}
	return out, nil
}

// layersByWeight finds the layers of a graph by the names of their weights.
func layersByWeight(g *onnx.Graph) map[string]*onnx.Node {
	found := map[string]*onnx.Node{}
	for _, n := range g.Nodes {
		if (n.Op == "Conv" || n.Op == "Gemm") && n.Input(1) != nil && n.In[1].IsConst() {
			found[n.In[1].Name] = n
		}
	}
	return found
}

func constant(n int64, v float32) *tensor.Tensor {
	d := make([]float32, n)
	for i := range d {
		d[i] = v
	}
	return tensor.Of([]int64{n}, d)
}
