package grad

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// needed returns the values that depend on wrt in a differentiable way: those whose
// derivative must be formed if the loss depends on them. Integers and truth values
// never do, and neither do the results of the operators in zeroRules. Values of unknown
// type, which unknown operators have, are taken for floats.
func needed(g *onnx.Graph, wrt []*onnx.Value) map[*onnx.Value]bool {
	need := map[*onnx.Value]bool{}
	for _, v := range wrt {
		need[v] = true
	}
	spread(g.Nodes, need)
	return need
}

// spread adds to need what nodes compute of it in a differentiable way.
func spread(nodes []*onnx.Node, need map[*onnx.Value]bool) {
	for _, n := range nodes {
		if !feeds(n, need) {
			continue
		}
		for _, v := range n.Out {
			if v != nil && (isFloat(v) || v.DType == tensor.Invalid) {
				need[v] = true
			}
		}
	}
}

// feeds reports whether a derivative that arrives at n must go on to an input, or to
// a value that a graph nested in n reads.
func feeds(n *onnx.Node, need map[*onnx.Value]bool) bool {
	if n.Domain == "" && zeroRules[n.Op] {
		return false
	}
	in := n.In
	if r, ok := ruleOf(n); ok && r.inputs > 0 {
		in = in[:min(r.inputs, len(in))]
	}
	hit := func(v *onnx.Value) bool { return v != nil && need[v] }
	return slices.ContainsFunc(in, hit) || slices.ContainsFunc(Captured(n), hit)
}

// Captured lists the values that the graphs nested in n read.
func Captured(n *onnx.Node) []*onnx.Value {
	var read []*onnx.Value
	for _, a := range n.Attrs {
		body, ok := a.(*onnx.Graph)
		if !ok {
			continue
		}
		read = append(read, body.Outputs...)
		for _, m := range body.Nodes {
			read = append(append(read, m.In...), Captured(m)...)
		}
	}
	return read
}
