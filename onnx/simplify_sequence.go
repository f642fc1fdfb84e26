package onnx

import (
	"slices"

	"trilobite/tensor"
)

// CutPieces lets the pieces that g takes of sequences be pieces of tensors, where it is known
// which: whoever asks what depends on a weight can follow these.
func CutPieces(g *Graph) error {
	if err := Infer(g); err != nil {
		return err
	}
	cutPieces(newEditor(g))
	return Infer(g)
}

// cutPieces lets a SequenceAt that takes a piece of a SplitToSequence take it from the tensor
// itself, by a Slice, or by a Gather where the pieces lack the axis.
//
// Exact bit for bit. Saves the copy of the other pieces.
func cutPieces(e *editor) bool {
	changed := false
	for _, n := range slices.Clone(e.g.Nodes) {
		if n.Op != "SequenceAt" || n.Domain != "" {
			continue
		}
		p, ok := pieceOf(n)
		if !ok {
			continue
		}
		e.setInput(n, 0, p.of)
		if p.squeezed {
			n.Op, n.Attrs = "Gather", map[string]any{"axis": int64(p.axis)}
			e.setConstant(n, 1, tensor.Scalar(p.start))
		} else {
			n.Op = "Slice"
			for i, v := range []int64{p.start, p.end, int64(p.axis)} {
				e.setConstant(n, 1+i, tensor.Vector(v))
			}
		}
		changed = true
	}
	return changed
}
