package onnx

import (
	"slices"

	"trilobite/tensor"
)

// mergeTransposes makes one Transpose of two in a row.
//
// Exact bit for bit. Saves a copy; two that undo each other become an identity,
// which removeNoOps drops.
func mergeTransposes(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		if n.Op != "Transpose" || n.Domain != "" || n.Input(0) == nil {
			continue
		}
		first := n.In[0].Node // its output may have other users: they keep it
		if first == nil || first.Op != "Transpose" || first.Domain != "" || first.Input(0) == nil {
			continue
		}
		rank := len(n.In[0].Shape)
		inner, err1 := permOf(first.Ints("perm"), rank)
		outer, err2 := permOf(n.Ints("perm"), rank)
		if err1 != nil || err2 != nil || n.In[0].Shape == nil {
			continue
		}
		n.Attrs = map[string]any{"perm": pick(inner, outer)}
		e.setInput(n, 0, first.In[0])
		changed = true
	}
	return changed
}

// mergeReshapes lets a Reshape read past a Reshape, Flatten, Squeeze or Unsqueeze
// before it.
//
// Exact bit for bit where the later target copies no dimension (no 0). Saves a node.
func mergeReshapes(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		if n.Op != "Reshape" || n.Domain != "" || n.Input(0) == nil || n.In[0].Node == nil {
			continue
		}
		first := n.In[0].Node
		if first.Domain != "" || !slices.Contains([]string{"Reshape", "Flatten", "Squeeze", "Unsqueeze"}, first.Op) || first.Input(0) == nil {
			continue
		}
		target, ok := elemsOf(n.Input(1))
		if !ok || slices.Contains(target, num{}) {
			continue
		}
		e.setInput(n, 0, first.In[0])
		changed = true
	}
	return changed
}

// fixReshapes makes the target of a Reshape a constant where it is computed from the
// input's own shape: a dimension that stays in its place is a 0, and one that nothing
// is known of is a -1. A free batch then needs no Shape, Gather and Concat.
//
// Exact, but for inputs without elements, whose shape a -1 cannot tell. Saves the
// nodes that compute the target.
func fixReshapes(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		target := n.Input(1)
		if n.Op != "Reshape" || n.Domain != "" || target == nil || target.Data != nil || n.Int("allowzero", 0) != 0 {
			continue
		}
		elems, ok := elemsOf(target)
		if to, fixed := fixedTarget(elems, inShape(n, 0)); ok && fixed {
			e.setConstant(n, 1, tensor.Vector(to...))
			changed = true
		}
	}
	return changed
}

// fixedTarget writes a Reshape's target of x in numbers, false if it takes two -1.
func fixedTarget(target []num, x Shape) ([]int64, bool) {
	to := make([]int64, len(target))
	open := 0
	for i, e := range target {
		switch {
		case !e.dim:
			to[i] = e.n
		case e.n != Unknown && i < len(x) && x[i] == e.n:
			to[i] = 0
		default:
			to[i] = -1
		}
		if to[i] < 0 {
			open++
		}
	}
	return to, open <= 1
}
