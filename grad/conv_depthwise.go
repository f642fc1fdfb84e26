package grad

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// depthwiseWeight is dW with one input channel per group, where a product of convWeight
// would be of two vectors. In milliseconds of one core, N 16:
//
//	                        stride   one Conv   products of rows   of windows   of moved maps
//	X (32, 112, 112), 3×3     1        81          97                 44           42
//	X (96, 112, 112), 3×3     2        67          91                 49
//	X (144, 56, 56), 3×3      1        90          76                 45           41
//	X (144, 56, 56), 5×5      2        38          46                 69
//	X (240, 28, 28), 5×5      1        60          37                 87           32
//	X (240, 28, 28), 3×3      2        11           9                 12
//	X (672, 14, 14), 5×5      1        43          21                 83           37
//	X (1152, 7, 7), 5×5       1        20           8
//
// Products of rows use k in W of what they compute, products of windows write X k² times.
func (c *call) depthwiseWeight(a onnx.ConvAttrs) *onnx.Value {
	const narrow, few = 10, 9
	x, w := c.n.In[0], c.n.In[1]
	known := x.DType == tensor.Float32 || x.DType == tensor.Float64
	switch {
	case !known || len(a.Strides) != 2 || w.Shape[0] != a.Group:
		return c.crossedWeight(a)
	case x.Shape[3] > narrow/2*w.Shape[3] && c.movable(a):
		return c.movedWeight(a)
	case x.Shape[3] <= narrow*w.Shape[3]:
		return c.rowsWeight(a)
	case product(w.Shape[2:]) <= few && x.DType == tensor.Float32 && slices.Min(a.Pads) >= 0:
		return c.windowsWeight(a)
	default:
		return c.crossedWeight(a)
	}
}

// movable reports whether movedWeight applies.
func (c *call) movable(a onnx.ConvAttrs) bool {
	back := c.backPads(a)
	return a.Strides[0] == 1 && c.n.In[0].DType == tensor.Float32 && slices.Min(a.Pads) >= 0 && min(back[0], back[2]) >= 0
}

// movedWeight is dW by products of dY, moved to the rows of X that each row of the kernel
// meets, with what each of its columns meets of these rows. Convs by weights of one 1 each
// lay both out, kH and kW maps where windowsWeight lays out kH·kW.
func (c *call) movedWeight(a onnx.ConvAttrs) *onnx.Value {
	x, w, back := c.n.In[0], c.n.In[1], c.backPads(a)
	high, wide := w.Shape[2], w.Shape[3]
	columns := c.Conv(x, c.picks(a.Group, wide, 1, wide, false), nil, onnx.ConvAttrs{
		Strides: []int64{1, a.Strides[1]}, Dilations: []int64{1, a.Dilations[1]}, Pads: []int64{0, a.Pads[1], 0, a.Pads[3]}, Group: a.Group,
	})
	rows := c.Conv(c.dY[0], c.picks(a.Group, high, high, 1, true), nil, onnx.ConvAttrs{
		Dilations: []int64{a.Dilations[0], 1}, Pads: []int64{back[0], 0, back[2], 0}, Group: a.Group,
	})
	columns = c.Transpose(c.Reshape(columns, 0, a.Group, wide, -1), 0, 1, 3, 2)
	return c.reshapedLike(c.ReduceSum(c.MatMul(c.Reshape(rows, 0, a.Group, high, -1), columns), 0), w)
}

// picks are weights of one 1 each, (groups·taps, 1, high, wide), for each group one for
// each tap, the last tap first if turned.
func (c *call) picks(groups, taps, high, wide int64, turned bool) *onnx.Value {
	list := make([]float32, groups*taps*taps)
	for i := range groups * taps {
		tap := i % taps
		if turned {
			tap = taps - 1 - tap
		}
		list[i*taps+tap] = 1
	}
	return c.Const("", tensor.Of([]int64{groups * taps, 1, high, wide}, list))
}

// windowsWeight is dW by products of dY, a row, with what each tap meets, which a Conv by
// weights of one 1 each lays out as maps of their own, (N, C·kH·kW, H', W'): ONNX Runtime
// does that on all cores, while Slices run on one.
func (c *call) windowsWeight(a onnx.ConvAttrs) *onnx.Value {
	x, w := c.n.In[0], c.n.In[1]
	taps := product(w.Shape[2:])
	ones := c.picks(a.Group, taps, w.Shape[2], w.Shape[3], false)
	window := onnx.ConvAttrs{Strides: a.Strides, Dilations: a.Dilations, Group: a.Group, Pads: a.Pads}
	met := c.Reshape(c.Conv(x, ones, nil, window), 0, a.Group, taps, -1)
	dY := c.Reshape(c.dY[0], 0, a.Group, 1, -1)
	return c.reshapedLike(c.ReduceSum(c.MatMul(dY, c.Transpose(met, 0, 1, 3, 2)), 0), w)
}

// shiftable reports whether shiftedWeight applies.
func (c *call) shiftable(a onnx.ConvAttrs) bool {
	w := c.n.In[1]
	if a.Group == 1 || w.Shape[0] != a.Group || len(a.Strides) != 2 || slices.Max(a.Strides) > 1 || w.DType != tensor.Float32 || slices.Min(a.Pads) < 0 {
		return false
	}
	pads := c.backPads(a)
	return slices.Min(pads) >= 0
}

// backPads are the pads with which a Conv of dY, without strides, covers X.
func (c *call) backPads(a onnx.ConvAttrs) []int64 {
	w := c.n.In[1].Shape
	high, wide := (w[2]-1)*a.Dilations[0], (w[3]-1)*a.Dilations[1]
	return []int64{high - a.Pads[0], wide - a.Pads[1], high - a.Pads[2], wide - a.Pads[3]}
}

// shiftedWeight is dW with one output channel per group and several input channels, by
// products of X, a row for each of these, with dY moved to where each tap meets X, a row
// for each tap. A Conv by weights of one 1 each moves dY, as in windowsWeight.
func (c *call) shiftedWeight(a onnx.ConvAttrs) *onnx.Value {
	x, w := c.n.In[0], c.n.In[1]
	taps := product(w.Shape[2:])
	ones := c.picks(a.Group, taps, w.Shape[2], w.Shape[3], true)
	moved := c.Conv(c.dY[0], ones, nil, onnx.ConvAttrs{Dilations: a.Dilations, Group: a.Group, Pads: c.backPads(a)})
	moved = c.Transpose(c.Reshape(moved, 0, a.Group, taps, -1), 0, 1, 3, 2)
	rows := c.Reshape(x, 0, a.Group, w.Shape[1], product(x.Shape[2:]))
	return c.reshapedLike(c.ReduceSum(c.MatMul(rows, moved), 0), w)
}

// rowsWeight is dW by products of whole rows. For the taps of the kernel's row i
//
//	R[c, q, u] = Σ dY[n, c, p, q] · X[n, c, p·s + i·d − pad, u]
//
// over p and n is one product per channel, (W', H'·N) by (H'·N, W), and the derivative by
// tap (i, j) is the sum of its diagonal u = q·s + j·d − pad. A product with a constant of
// zeros and ones picks the diagonals. One in W/k of R's elements is wanted; while maps are
// small that is still quicker than to move single elements.
func (c *call) rowsWeight(a onnx.ConvAttrs) *onnx.Value {
	x, w, out := c.n.In[0], c.n.In[1], c.n.Out[0].Shape[2:]
	rows := c.Transpose(x, 1, 2, 0, 3) // (C, H, N, W), as package step lays out X and dY too
	if a.Pads[0] != 0 || a.Pads[2] != 0 {
		rows = c.Pad(rows, 0, a.Pads[0], 0, 0, 0, a.Pads[2], 0, 0)
	}
	dY := c.Reshape(c.Transpose(c.dY[0], 1, 2, 0, 3), a.Group, -1, out[1])
	dY = c.Transpose(dY, 0, 2, 1) // taken into the products by ONNX Runtime
	products := make([]*onnx.Value, w.Shape[2])
	for i := range products {
		start := int64(i) * a.Dilations[0]
		met := c.SliceStep(rows, []int64{1}, []int64{start}, []int64{start + (out[0]-1)*a.Strides[0] + 1}, a.Strides[:1])
		met = c.Reshape(met, a.Group, -1, x.Shape[3])
		products[i] = c.Reshape(c.MatMul(dY, met), a.Group, 1, -1)
	}
	return c.reshapedLike(c.MatMul(c.Concat(1, products...), c.diagonals(a)), w)
}

// diagonals is 1 at (q·W + u, j) where column q of dY meets column u of X at tap j, and 0
// elsewhere, (W'·W, kW).
func (c *call) diagonals(a onnx.ConvAttrs) *onnx.Value {
	in, out, kernel := c.n.In[0].Shape[3], c.n.Out[0].Shape[3], c.n.In[1].Shape[3]
	list := make([]float64, out*in*kernel)
	for q := range out {
		for j := range kernel {
			if u := q*a.Strides[1] + j*a.Dilations[1] - a.Pads[1]; u >= 0 && u < in {
				list[(q*in+u)*kernel+j] = 1
			}
		}
	}
	t, err := constantOf(c.n.In[0].DType, []int64{out * in, kernel}, list)
	if err != nil {
		c.Fail(err)
		return c.n.In[0]
	}
	return c.Const("", t)
}

// crossedWeight is dW as the Conv whose images are the channels of X, its channels their
// samples, and whose kernels are dY: one pass, where a Slice, a Mul and a ReduceSum for
// each tap take three. Strides and dilations trade places.
func (c *call) crossedWeight(a onnx.ConvAttrs) *onnx.Value {
	x, w, k := c.n.In[0], c.n.In[1], len(a.Strides)
	back := onnx.ConvAttrs{Strides: a.Dilations, Dilations: a.Strides, Group: a.Group, Pads: a.Pads}
	if slices.Min(a.Pads) < 0 {
		x, back.Pads = c.padded(a.Pads), nil
	}
	swap := slices.Concat([]int64{1, 0}, count(2, k))
	x = c.Reshape(c.Transpose(x, swap...), slices.Concat([]int64{1, -1}, x.Shape[2:])...) // (1, C·N, H, W)
	dY := c.Transpose(c.dY[0], swap...)                                                   // (M, N, H', W')
	return c.reshapedLike(c.Conv(x, dY, nil, back), w)
}
