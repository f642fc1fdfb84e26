package onnx

import (
	"maps"
	"slices"

	"trilobite/tensor"
)

// fixResizes makes the sizes of a Resize constants where they are computed from the
// input's own shape: axes that keep their size, a free batch and the channels, are no
// longer spoken of.
//
// Exact bit for bit: an axis of the same size has scale 1. Saves the nodes that
// compute the sizes. A graph of eight-bit layers keeps them: ONNX Runtime 1.32 moves
// Transposes past its Resizes, and then finds the sizes of some axes wrong.
func fixResizes(e *editor) bool {
	if slices.ContainsFunc(e.g.Nodes, func(n *Node) bool { return n.Op == "QuantizeLinear" && n.Domain == "" }) {
		return false
	}
	changed := false
	for _, n := range e.g.Nodes {
		x, sizes := inShape(n, 0), n.Input(3)
		if n.Op != "Resize" || n.Domain != "" || x == nil || sizes == nil || sizes.Data != nil ||
			n.Str("keep_aspect_ratio_policy", "stretch") != "stretch" ||
			n.Str("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize" {
			continue
		}
		elems, ok := elemsOf(sizes)
		axes, err := resizeAxes(n, len(x))
		if !ok || err != nil || len(axes) != len(elems) {
			continue
		}
		var left, to []int64
		for i, a := range axes {
			switch d := elems[i]; {
			case d.n != Unknown && d.n == x[a]:
			case d.dim:
				ok = false
			default:
				left, to = append(left, int64(a)), append(to, d.n)
			}
		}
		if !ok || len(left) == 0 {
			continue
		}
		n.Attrs = maps.Clone(n.Attrs)
		if n.Attrs == nil {
			n.Attrs = map[string]any{}
		}
		n.Attrs["axes"] = left
		e.setConstant(n, 3, tensor.Vector(to...))
		changed = true
	}
	return changed
}
