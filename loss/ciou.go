package loss

import (
	"math"

	"trilobite/onnx"
)

// CIoU is the complete IoU loss of each pair of boxes as in GIoU, not reduced. With d the
// distance of the centres, c the diagonal of the smallest box around both, w and h the
// sides of x and w', h' those of t:
//
//	1 − IoU + d²/c² + α·v      v = 4/π²·(atan(w'/h') − atan(w/h))²      α = v/(1 − IoU + v + ε)
//
// α counts as a constant in the gradient; ε = 1e-7 is added to c² too. Zheng et al.,
// arXiv:1911.08287, equations 7 to 11; the form is torchvision's (ops/ciou_loss.py).
// Heights must be above 0. Checked: testdata/ciou.npz.
func CIoU(b *onnx.Builder, x, t *onnx.Value) *onnx.Value {
	if !boxes(b, "complete IoU", x, t) {
		return &onnx.Value{}
	}
	of := func(v float64) *onnx.Value { return b.Scalar(x.DType, v) }
	square := func(v *onnx.Value) *onnx.Value { return b.Mul(v, v) }
	o := overlapOf(b, x, t)
	iou := b.Div(o.intersection, b.Add(o.union, of(1e-7)))
	twice := func(i int) *onnx.Value { // the distance of the centres along an axis, times 2
		return b.Sub(b.Add(o.x[i], o.x[i+2]), b.Add(o.t[i], o.t[i+2]))
	}
	around := func(i int) *onnx.Value { return b.Sub(b.Max(o.x[i+2], o.t[i+2]), b.Min(o.x[i], o.t[i])) }
	distance := b.Mul(b.Add(square(twice(0)), square(twice(1))), of(0.25))
	diagonal := b.Add(b.Add(square(around(0)), square(around(1))), of(1e-7))
	slope := func(s []*onnx.Value) *onnx.Value {
		return b.Op("Atan", []*onnx.Value{b.Div(b.Sub(s[2], s[0]), b.Sub(s[3], s[1]))}, nil, 1)[0]
	}
	v := b.Mul(square(b.Sub(slope(o.t), slope(o.x))), of(4/(math.Pi*math.Pi)))
	lost := b.Sub(of(1), iou)
	steps := of(1 << 23) // rounded to these, no gradient passes
	alpha := b.Div(b.Round(b.Mul(b.Div(v, b.Add(b.Add(lost, v), of(1e-7))), steps)), steps)
	y := b.Add(b.Add(lost, b.Div(distance, diagonal)), b.Mul(alpha, v))
	return b.Squeeze(y, int64(len(x.Shape)-1))
}
