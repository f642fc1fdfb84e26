package loss

import (
	"fmt"

	"trilobite/onnx"
)

// GIoU is 1 less the generalised IoU of each pair of boxes, x and t, both (…, 4), xyxy; it
// has their shape without the last axis, and lies in 0…2. With I the intersection's area,
// U the union's and C that of the smallest box around both:
//
//	1 − I/(U+ε) + (C−U)/(C+ε)     ε = 1e-7
//
// Rezatofighi et al., arXiv:1902.09630, algorithm 1; ε and the form are torchvision's
// (ops/giou_loss.py). Unlike the other losses it is not reduced: detectors weigh boxes.
func GIoU(b *onnx.Builder, x, t *onnx.Value) *onnx.Value {
	if !boxes(b, "generalised IoU", x, t) {
		return &onnx.Value{}
	}
	one, epsilon := b.Scalar(x.DType, 1), b.Scalar(x.DType, 1e-7)
	o := overlapOf(b, x, t)
	around := b.Mul(b.Sub(b.Max(o.x[2], o.t[2]), b.Min(o.x[0], o.t[0])), b.Sub(b.Max(o.x[3], o.t[3]), b.Min(o.x[1], o.t[1])))
	iou := b.Div(o.intersection, b.Add(o.union, epsilon))
	empty := b.Div(b.Sub(around, o.union), b.Add(around, epsilon))
	return b.Squeeze(b.Add(b.Sub(one, iou), empty), int64(len(x.Shape)-1))
}

// IoULoss is 1 less the intersection over union of each pair of boxes as in GIoU, 0 to 1,
// not reduced. Boxes that do not meet have no gradient: GIoU and CIoU do.
func IoULoss(b *onnx.Builder, x, t *onnx.Value) *onnx.Value {
	if !boxes(b, "IoU loss", x, t) {
		return &onnx.Value{}
	}
	o := overlapOf(b, x, t)
	iou := b.Div(o.intersection, b.Add(o.union, b.Scalar(x.DType, 1e-7)))
	return b.Squeeze(b.Sub(b.Scalar(x.DType, 1), iou), int64(len(x.Shape)-1))
}

// IoU is the intersection over union of each pair of boxes as in GIoU, 0 to 1. It is
// rounded to 2⁻²⁰, so that no gradient passes: a measure of boxes, not a loss.
func IoU(b *onnx.Builder, x, t *onnx.Value) *onnx.Value {
	if !boxes(b, "IoU", x, t) {
		return &onnx.Value{}
	}
	o := overlapOf(b, x, t)
	steps := b.Scalar(x.DType, 1<<20)
	iou := b.Div(o.intersection, b.Add(o.union, b.Scalar(x.DType, 1e-7)))
	return b.Squeeze(b.Div(b.Round(b.Mul(iou, steps)), steps), int64(len(x.Shape)-1))
}

// overlap is what boxes x and t share; all its values are (…, 1).
type overlap struct {
	x, t                []*onnx.Value // x1, y1, x2, y2
	intersection, union *onnx.Value   // areas
}

func overlapOf(b *onnx.Builder, x, t *onnx.Value) overlap {
	side := func(v *onnx.Value) []*onnx.Value { return b.Split(v, int64(len(v.Shape)-1), 1, 1, 1, 1) }
	o := overlap{x: side(x), t: side(t)}
	area := func(s []*onnx.Value) *onnx.Value { return b.Mul(b.Sub(s[2], s[0]), b.Sub(s[3], s[1])) }
	w := b.Relu(b.Sub(b.Min(o.x[2], o.t[2]), b.Max(o.x[0], o.t[0])))
	h := b.Relu(b.Sub(b.Min(o.x[3], o.t[3]), b.Max(o.x[1], o.t[1])))
	o.intersection = b.Mul(w, h)
	o.union = b.Sub(b.Add(area(o.x), area(o.t)), o.intersection)
	return o
}

// boxes reports whether x and t are boxes of one type and shape.
func boxes(b *onnx.Builder, what string, x, t *onnx.Value) bool {
	if !pair(b, what, x, t) {
		return false
	}
	if n := len(x.Shape); n == 0 || x.Shape[n-1] != 4 {
		b.Fail(fmt.Errorf("%s of %q: it is %v, want (…, 4)", what, x.Name, x.Shape))
	}
	return b.Err() == nil
}
