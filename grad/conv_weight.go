package grad

import (
	"slices"

	"trilobite/onnx"
)

// convWeight is dW, tap by tap: the derivative by the weights of one tap (i, j) is the
// product of dY with the elements of X that this tap met,
//
//	dW[m, c, i, j] = Σ dY[n, m, p, q] · X[n, c, p·s + i·d − pad, q·s + j·d − pad]
//
// over n, p, q: a strided Slice of the padded X and a MatMul over all N·H'·W'
// positions. On the CPU that runs at 261 GFLOP/s where dW as a single Conv runs at 69
// (X [4,256,64,64]). Depthwise, where each product would be of two vectors, it is a
// Mul and a ReduceSum.
func (c *call) convWeight(a onnx.ConvAttrs) *onnx.Value {
	x, w := c.padded(a.Pads), c.n.In[1]
	if w.Shape[0] == a.Group && w.Shape[1] == 1 {
		return c.depthwiseWeight(x, a)
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

// depthwiseWeight is convWeight with one input and one output channel per group.
func (c *call) depthwiseWeight(x *onnx.Value, a onnx.ConvAttrs) *onnx.Value {
	axes := others(len(x.Shape), 1)
	var taps []*onnx.Value
	for tap := range c.taps() {
		r := c.ReduceSum(c.Mul(c.tap(x, 2, tap, a), c.dY[0]), axes...)
		taps = append(taps, c.Reshape(r, 1, a.Group))
	}
	return c.joined(taps)
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
