package grad

import (
	"fmt"
	"math"
	"slices"

	"trilobite/onnx"
)

// Operators that move elements: dX moves dY's back. Checked: testdata/layout.npz.

// Reshape, Flatten, Squeeze, Unsqueeze: dX is dY in X's shape.
func reshapeGrad(c *call, x, _, dY *onnx.Value) *onnx.Value { return c.reshapedLike(dY, x) }

// Transpose: dX is dY with the axes permuted back.
func transposeGrad(c *call, _, _, dY *onnx.Value) *onnx.Value {
	perm := c.n.Ints("perm")
	if perm == nil {
		return c.Transpose(dY)
	}
	back := make([]int64, len(perm))
	for i, p := range perm {
		back[p] = int64(i)
	}
	return c.Transpose(dY, back...)
}

// expandRule is the gradient of Expand: dX is dY summed over the axes along which X
// was repeated.
func expandRule(c *call) error { return c.giveSum(0, c.dY[0]) }

// concatRule is the gradient of Concat: each dX is its piece of dY. The pieces' sizes
// along the axis must be known.
func concatRule(c *call) error {
	axis := c.axis(c.n.Int("axis", 0), c.n.Out[0])
	start := int64(0)
	for i, x := range c.n.In {
		if axis >= len(x.Shape) || x.Shape[axis] < 0 {
			return fmt.Errorf("%s: the size of input %d, %v, along axis %d is unknown; bind it", c.n, i, x.Shape, axis)
		}
		end := start + x.Shape[axis]
		if c.wants(i) {
			if err := c.give(i, c.Slice(c.dY[0], []int64{int64(axis)}, []int64{start}, []int64{end})); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}

// splitRule is the gradient of Split: dX joins the pieces' derivatives, zeros where
// none arrives.
func splitRule(c *call) error {
	pieces := slices.Clone(c.dY)
	for i, p := range pieces {
		if p == nil {
			pieces[i] = c.filled(c.n.Out[i], 0)
		}
	}
	return c.give(0, c.Concat(c.n.Int("axis", 0), pieces...))
}

// sliceRule is the gradient of Slice: dX is zeros with dY where it was cut out, a Pad.
// With a step s each element of dY is followed by |s| − 1 zeros first, with a negative
// one dY is turned round before. Starts, ends, axes and steps must be constants, X's size
// along the axes known; with a step other than 1 and −1, all sizes but one.
func sliceRule(c *call) error {
	x, y, dX := c.n.In[0], c.n.Out[0], c.dY[0]
	starts, ok := integers(c.n.In[1])
	if !ok || x.Shape == nil || y.Shape == nil {
		return c.none("computed starts, or unknown rank")
	}
	axes := make([]int64, len(starts))
	steps := make([]int64, len(starts))
	for i := range starts {
		axes[i], steps[i] = int64(i), 1
	}
	for i, list := range []*[]int64{&axes, &steps} {
		v := c.n.Input(3 + i)
		if v == nil {
			continue
		}
		if *list, ok = integers(v); !ok || len(*list) != len(starts) {
			return c.none("computed axes or steps")
		}
	}
	rank := len(x.Shape)
	pads := make([]int64, 2*rank)
	for i := range starts {
		axis, step := c.axis(axes[i], x), steps[i]
		size, cut := x.Shape[axis], y.Shape[axis]
		if step == 0 || step == math.MinInt64 || size < 0 || cut < 0 {
			return c.none("step %d, axis %d of %v to %v", step, axis, x.Shape, y.Shape)
		}
		start := first(starts[i], step, size)
		if step < 0 {
			dX = c.SliceStep(dX, []int64{int64(axis)}, []int64{-1}, []int64{math.MinInt64}, []int64{-1})
			start, step = max(start+(cut-1)*step, 0), -step
		}
		if cut == 0 {
			start = 0
		}
		if step > 1 && cut > 0 {
			if unknown(dX.Shape) > 1 {
				return c.none("step %d of unknown sizes %v", step, dX.Shape)
			}
			dX = c.spread(dX, axis, step)
			cut *= step
		}
		pads[axis], pads[rank+axis] = start, size-start-cut // the last zeros may be cut again
	}
	return c.give(0, c.Pad(dX, pads...))
}

// first is the element that a Slice of a step starts at, along an axis of a size.
func first(start, step, size int64) int64 {
	if start < 0 {
		start += size
	}
	if step < 0 {
		return min(max(start, -1), size-1)
	}
	return min(max(start, 0), size)
}

// unknown counts the sizes that are not known.
func unknown(s onnx.Shape) int {
	n := 0
	for _, d := range s {
		if d < 0 {
			n++
		}
	}
	return n
}

// axis makes an axis of v, which may count from the end, an index into its shape.
func (w *walk) axis(axis int64, v *onnx.Value) int {
	if axis < 0 {
		axis += int64(len(v.Shape))
	}
	return int(axis)
}
