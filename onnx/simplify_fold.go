package onnx

import "trilobite/tensor"

// maxGrowth is how many elements folding may add to the file with one constant
// beyond the elements that go in.
const maxGrowth = 1 << 16

// foldConstants computes what depends on constants and known shapes only, and puts
// constants in its place.
//
// Exact: integers and moves of elements bit for bit, floats as evaluate says. Saves
// the nodes, and lets the others see numbers where they had computed shapes.
func foldConstants(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		results, ok := e.foldNode(n)
		if !ok {
			continue
		}
		for i, v := range n.Out {
			if t := results[i]; v != nil && t != nil {
				v.Data, v.DType, v.Shape, v.Node, v.elems = t, t.DType, append(Shape{}, t.Shape...), nil, nil
			}
		}
		e.remove(n)
		changed = true
	}
	return changed
}

// foldNode returns n's outputs as tensors, nil where one is used by nobody.
func (e *editor) foldNode(n *Node) (results []*tensor.Tensor, ok bool) {
	results = make([]*tensor.Tensor, len(n.Out))
	open := false
	for i, v := range n.Out {
		switch {
		case v == nil || len(e.users[v]) == 0 && !e.kept[v]:
		case e.kept[v]: // an output of the graph keeps its node
			return nil, false
		default:
			results[i] = literal(v)
			open = open || results[i] == nil
		}
	}
	if !open {
		return results, len(n.Out) > 0
	}
	in := make([]*tensor.Tensor, len(n.In))
	size := int64(maxGrowth)
	for i, v := range n.In {
		if v == nil {
			continue
		}
		if in[i] = literal(v); in[i] == nil {
			return nil, false
		}
		size += in[i].Len()
	}
	for _, v := range n.Out {
		if v != nil && n.Op != "Constant" && productOf(v.Shape...).dim() > size {
			return nil, false
		}
	}
	out, ok := evaluate(n, in)
	if !ok || len(out) != len(n.Out) {
		return nil, false
	}
	return out, true
}
