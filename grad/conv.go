package grad

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// convRule is the gradient of Conv, Y = X ⋆ W + B, for any number of spatial axes,
// groups, strides, dilations and pads:
//
//	X  (N, C, H, W)          dX = dY ⋆ W spread out again, see convData
//	W  (M, C/group, kH, kW)  dW = one product of dY and X per tap, see convWeight
//	B  (M)                   dB = ΣdY over N, H, W
//
// All sizes but N must be known.
// Source: Dumoulin and Visin, arXiv:1603.07285, section 4. Checked: testdata/conv.npz.
func convRule(c *call) error {
	x, w, y := c.n.In[0], c.n.In[1], c.n.Out[0]
	if !convSizes(x, w, y) {
		return c.none("%v with weights %v: bind all sizes but the batch", x.Shape, w.Shape)
	}
	a := c.window(c.n.Conv(), w.Shape[2:])
	scale := c.takeScale()
	if c.wants(0) {
		if err := c.give(0, c.convData(a, c.scaledRows(w, scale))); err != nil {
			return err
		}
	}
	if c.wants(1) {
		if err := c.give(1, c.scaledRows(c.convWeight(a), scale)); err != nil {
			return err
		}
	}
	if !c.wants(2) {
		return nil
	}
	dB := c.ReduceSum(c.dY[0], others(len(w.Shape), 1)...)
	if scale != nil {
		dB = c.Mul(dB, scale)
	}
	return c.give(2, dB)
}

// takeScale takes from dY the numbers per channel (M) by which it has been multiplied, as
// the rule of BatchNormalization leaves it, where it has several times the elements of W
// and it is less work to multiply these; nil if there are none.
func (c *call) takeScale() *onnx.Value {
	w, mul := c.n.In[1], c.dY[0].Node
	if mul == nil || mul.Op != "Mul" || mul.Domain != "" {
		return nil
	}
	scale, rank := mul.In[1], len(w.Shape)
	shape := slices.Repeat([]int64{1}, rank-2)
	if !slices.Equal(scale.Shape, slices.Concat(w.Shape[:1], shape)) || len(mul.In[0].Shape) != rank {
		return nil
	}
	y := c.n.Out[0].Shape
	if tensor.Size(y[1:])*max(y[0], 1) < 4*tensor.Size(w.Shape) {
		return nil
	}
	c.dY = []*onnx.Value{mul.In[0]}
	return c.Reshape(scale, -1)
}

// scaledRows multiplies w (M, …) by scale (M), if there is one.
func (w *walk) scaledRows(v, scale *onnx.Value) *onnx.Value {
	if scale == nil {
		return v
	}
	m := v.Shape[0]
	return w.reshapedLike(w.Mul(w.Reshape(v, m, -1), w.Reshape(scale, m, 1)), v)
}

// convSizes reports whether all sizes but the batch are known, and the kernel has no more
// taps than the longest that are in use, some tens across.
func convSizes(x, w, y *onnx.Value) bool {
	const maxTaps = 1 << 14
	return len(w.Shape) > 2 && len(x.Shape) == len(w.Shape) && w.Shape.Static() &&
		x.Shape[1:].Static() && y.Shape[1:].Static() && fits(w.Shape[2:]) && product(w.Shape[2:]) <= maxTaps
}

// window replaces automatic padding by the pads that it stands for and cuts the end
// pads that no window reaches, so that (in + pads − reach) is a multiple of the stride,
// reach = (k − 1)·dilation + 1. Ends may become negative: input that no tap reads.
func (c *call) window(a onnx.ConvAttrs, kernel []int64) onnx.ConvAttrs {
	k := len(kernel)
	in, out := c.n.In[0].Shape[2:], c.n.Out[0].Shape[2:]
	pads := slices.Clone(a.Pads)
	for i := range k {
		total := (out[i]-1)*a.Strides[i] + (kernel[i]-1)*a.Dilations[i] + 1 - in[i]
		switch a.AutoPad {
		case "SAME_UPPER":
			pads[i] = max(total, 0) / 2
		case "SAME_LOWER":
			pads[i] = (max(total, 0) + 1) / 2
		case "VALID":
			pads[i] = 0
		}
		pads[k+i] = total - pads[i]
	}
	a.Pads, a.AutoPad = pads, ""
	return a
}

// convData is dX by the weights w. With stride 1 it is a Conv of dY with the weights reversed along the
// spatial axes and with their channels exchanged, 0.6 of the time of ConvTranspose on
// the CPU. Otherwise, and where that Conv's pads would be negative, it is a
// ConvTranspose.
func (c *call) convData(a onnx.ConvAttrs, w *onnx.Value) *onnx.Value {
	dY := c.dY[0]
	k := len(w.Shape) - 2
	pads := make([]int64, 2*k)
	simple := true
	for i := range k {
		reach := (w.Shape[2+i] - 1) * a.Dilations[i]
		pads[i], pads[k+i] = reach-a.Pads[i], reach-a.Pads[k+i]
		simple = simple && a.Strides[i] == 1 && pads[i] >= 0 && pads[k+i] >= 0
	}
	if simple {
		return c.Conv(dY, c.reversed(w, a.Group), nil, onnx.ConvAttrs{Dilations: a.Dilations, Group: a.Group, Pads: pads})
	}
	return c.transposed(dY, w, a)
}

// transposed is ConvTranspose of dY with the windows of a; for input that no tap reads
// its output is padded with zeros.
func (w *walk) transposed(dY, weights *onnx.Value, a onnx.ConvAttrs) *onnx.Value {
	k := len(a.Strides)
	extra := make([]int64, k)
	back := onnx.ConvAttrs{Strides: a.Strides, Dilations: a.Dilations, Group: a.Group, Pads: slices.Clone(a.Pads)}
	for i := range k {
		if a.Pads[k+i] < 0 {
			extra[i], back.Pads[k+i] = -a.Pads[k+i], 0
		}
	}
	dX := w.ConvTranspose(dY, weights, nil, back)
	if slices.Max(extra) > 0 {
		dX = w.Pad(dX, slices.Concat(make([]int64, k+4), extra)...)
	}
	return dX
}

// reversed exchanges the channels of w, (M, C/group, k…), to (C, M/group, k…), and
// reverses the spatial axes.
func (w *walk) reversed(v *onnx.Value, group int64) *onnx.Value {
	k := len(v.Shape) - 2
	m, cg, kernel := v.Shape[0]/group, v.Shape[1], v.Shape[2:]
	if group == 1 {
		v = w.Transpose(v, slices.Concat([]int64{1, 0}, count(2, k))...)
	} else if m > 1 || cg > 1 {
		v = w.Reshape(v, slices.Concat([]int64{group, m, cg}, kernel)...)
		v = w.Transpose(v, slices.Concat([]int64{0, 2, 1}, count(3, k))...)
		v = w.Reshape(v, slices.Concat([]int64{group * cg, m}, kernel)...)
	}
	return w.turned(v, kernel)
}

// turned reverses the spatial axes of a kernel. Up to some tens of taps that is a product
// with the exchange matrix, ones on the other diagonal: a Slice with steps of −1 moves
// element by element, ten times as long.
func (w *walk) turned(v *onnx.Value, kernel []int64) *onnx.Value {
	const most = 64
	taps := product(kernel)
	if taps == 1 {
		return v
	}
	if taps <= most && (v.DType == tensor.Float32 || v.DType == tensor.Float64) {
		exchange := make([]float64, taps*taps)
		for i := range taps {
			exchange[i*taps+taps-1-i] = 1
		}
		t, err := constantOf(v.DType, []int64{taps, taps}, exchange)
		if err != nil {
			w.Fail(err)
			return v
		}
		return w.reshapedLike(w.MatMul(w.Reshape(v, -1, taps), w.Const("", t)), v)
	}
	var axes, starts, ends, steps []int64
	for i, size := range kernel {
		axes, starts = append(axes, int64(2+i)), append(starts, -1)
		ends, steps = append(ends, -size-1), append(steps, -1)
	}
	return w.SliceStep(v, axes, starts, ends, steps)
}

// count is k numbers from first on.
func count(first int64, k int) []int64 {
	list := make([]int64, k)
	for i := range list {
		list[i] = first + int64(i)
	}
	return list
}

// others lists the axes of a tensor of a rank but one.
func others(rank int, but int64) []int64 {
	return slices.DeleteFunc(count(0, rank), func(i int64) bool { return i == but })
}
