package grad

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// convWeight is dW, tap by tap: the derivative by the weights of one tap (i, j) is the
// product of dY with the elements of X that this tap met,
//
//	dW[m, c, i, j] = Σ dY[n, m, p, q] · X[n, c, p·s + i·d − pad, q·s + j·d − pad]
//
// over n, p, q: a strided Slice of the padded X and a MatMul over the N·H'·W'
// positions, in one of two layouts (milliseconds on 2 cores):
//
//	                                 batched   channels last
//	X (4, 64, 64, 64), 3×3, M 64      10.4      12.0
//	X (16, 96, 56, 56), 1×1, M 24      2.4       6.2
//	X (4, 1024, 16, 16), 3×3, M 256   56.8      39.6
//	X (16, 1152, 7, 7), 1×1, M 192     4.9       2.9
//
// With few input channels, as in a network's first layer, all taps are one product
// (unfoldedWeight), with one output channel per group too (shiftedWeight); with one input
// channel per group, depthwise, there are other ways (depthwiseWeight).
func (c *call) convWeight(a onnx.ConvAttrs) *onnx.Value {
	w := c.n.In[1]
	if w.Shape[1] == 1 && a.Group > 1 {
		return c.depthwiseWeight(a)
	}
	if c.shiftable(a) {
		return c.shiftedWeight(a)
	}
	x := c.padded(a.Pads)
	if a.Group == 1 && w.Shape[1] <= fewChannels && product(w.Shape[2:]) > 1 {
		return c.unfoldedWeight(x, a)
	}
	if a.Group == 1 && c.wide(a) {
		return c.batchedWeight(x, a)
	}
	x, dY, first := c.rows(x, a.Group)
	var taps []*onnx.Value
	for tap := range c.taps() {
		r := c.tap(x, first, tap, a)
		if a.Group == 1 {
			r = c.Reshape(r, -1, w.Shape[1]) // (N·H'·W', C)
		} else {
			r = c.Reshape(r, a.Group, -1, w.Shape[1])
		}
		taps = append(taps, c.Reshape(c.MatMul(dY, r), 1, w.Shape[0]*w.Shape[1]))
	}
	return c.joined(taps)
}

// wide reports whether batchedWeight pays: enough positions for a product per sample,
// and slices that copy whole rows of at least 32 elements, or no slices at all.
func (c *call) wide(a onnx.ConvAttrs) bool {
	kernel, out := c.n.In[1].Shape[2:], c.n.Out[0].Shape[2:]
	last := len(out) - 1
	whole := !slices.ContainsFunc(kernel, func(k int64) bool { return k > 1 })
	return tensor.Size(out) >= 128 && a.Strides[last] == 1 && (whole || out[last] >= 32)
}

// batchedWeight is convWeight with a MatMul per sample, (M, H'·W') by (H'·W', C), added
// up over N. ONNX Runtime takes the Transpose into the MatMul, so that nothing is moved.
func (c *call) batchedWeight(x *onnx.Value, a onnx.ConvAttrs) *onnx.Value {
	w := c.n.In[1]
	dY := c.Reshape(c.dY[0], 0, w.Shape[0], -1)
	var taps []*onnx.Value
	for tap := range c.taps() {
		r := c.Transpose(c.Reshape(c.tap(x, 2, tap, a), 0, w.Shape[1], -1), 0, 2, 1)
		taps = append(taps, c.Reshape(c.ReduceSum(c.MatMul(dY, r), 0), 1, w.Shape[0]*w.Shape[1]))
	}
	return c.joined(taps)
}

// fewChannels is the number of input channels up to which a product per tap is too thin
// for the processor.
const fewChannels = 8

// unfoldedWeight is convWeight as one product per sample of dY, (M, H'·W'), and what all
// taps met, (taps·C, H'·W'), added up over N.
func (c *call) unfoldedWeight(x *onnx.Value, a onnx.ConvAttrs) *onnx.Value {
	w := c.n.In[1]
	var taps []*onnx.Value
	for tap := range c.taps() {
		taps = append(taps, c.Reshape(c.tapByAxis(x, tap, a), 0, w.Shape[1], -1))
	}
	dY := c.Reshape(c.dY[0], 0, w.Shape[0], -1)
	dW := c.ReduceSum(c.MatMul(dY, c.Transpose(c.Concat(1, taps...), 0, 2, 1)), 0) // (M, taps·C)
	return c.reshapedLike(c.Transpose(c.Reshape(dW, w.Shape[0], int64(len(taps)), -1), 0, 2, 1), w)
}

// tapByAxis is tap of (N, C, …), axis by axis from the last, so that taps share what they
// have in common and only the first Slice steps through single elements.
func (c *call) tapByAxis(x *onnx.Value, at []int64, a onnx.ConvAttrs) *onnx.Value {
	out := c.n.Out[0].Shape[2:]
	for i, tap := range slices.Backward(at) {
		start := tap * a.Dilations[i]
		x = c.SliceStep(x, []int64{int64(2 + i)}, []int64{start}, []int64{start + (out[i]-1)*a.Strides[i] + 1}, []int64{a.Strides[i]})
	}
	return x
}

// padded is X with pads, cut where they are negative.
func (c *call) padded(pads []int64) *onnx.Value {
	x := c.n.In[0]
	k := len(pads) / 2
	if !slices.ContainsFunc(pads, func(p int64) bool { return p != 0 }) {
		return x
	}
	return c.Pad(x, slices.Concat([]int64{0, 0}, pads[:k], []int64{0, 0}, pads[k:])...)
}

// rows lays the channels of X last, (N, H, W, C), and makes a matrix of dY, (M,
// N·H'·W'); with groups (group, N, H, W, C/group) and (group, M/group, N·H'·W'). first
// is the first spatial axis of X.
func (c *call) rows(x *onnx.Value, group int64) (xRows, dY *onnx.Value, first int64) {
	k := len(x.Shape) - 2
	m := c.n.In[1].Shape[0]
	if group == 1 {
		xRows = c.Transpose(x, slices.Concat([]int64{0}, count(2, k), []int64{1})...)
		dY = c.Transpose(c.dY[0], slices.Concat([]int64{1, 0}, count(2, k))...)
		return xRows, c.Reshape(dY, m, -1), 1
	}
	xRows = c.Reshape(x, slices.Concat([]int64{0, group, x.Shape[1] / group}, x.Shape[2:])...)
	xRows = c.Transpose(xRows, slices.Concat([]int64{1, 0}, count(3, k), []int64{2})...)
	dY = c.Transpose(c.dY[0], slices.Concat([]int64{1, 0}, count(2, k))...)
	return xRows, c.Reshape(dY, group, m/group, -1), 2
}

// taps yields the positions in the kernel, the last axis fastest.
func (c *call) taps() func(yield func([]int64) bool) {
	kernel := c.n.In[1].Shape[2:]
	return func(yield func([]int64) bool) {
		at := make([]int64, len(kernel))
		for {
			if !yield(at) {
				return
			}
			i := len(kernel) - 1
			for ; i >= 0; i-- {
				if at[i]++; at[i] < kernel[i] {
					break
				}
				at[i] = 0
			}
			if i < 0 {
				return
			}
		}
	}
}

// tap cuts from x, padded, what one position of the kernel meets; the spatial axes
// start at first.
func (c *call) tap(x *onnx.Value, first int64, at []int64, a onnx.ConvAttrs) *onnx.Value {
	out := c.n.Out[0].Shape[2:]
	var axes, starts, ends, steps []int64
	for i := range at {
		start := at[i] * a.Dilations[i]
		end := start + (out[i]-1)*a.Strides[i] + 1
		if start == 0 && end == x.Shape[first+int64(i)] && a.Strides[i] == 1 {
			continue // all of it
		}
		axes, starts = append(axes, first+int64(i)), append(starts, start)
		ends, steps = append(ends, end), append(steps, a.Strides[i])
	}
	if axes == nil {
		return x
	}
	return c.SliceStep(x, axes, starts, ends, steps)
}

// joined makes W's shape of its taps, each (1, M·C/group).
func (c *call) joined(taps []*onnx.Value) *onnx.Value {
	w := c.n.In[1]
	if len(taps) == 1 {
		return c.reshapedLike(taps[0], w)
	}
	return c.reshapedLike(c.Transpose(c.Concat(0, taps...), 1, 0), w)
}
