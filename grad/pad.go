package grad

import (
	"slices"

	"trilobite/onnx"
)

// padRule is the gradient of Pad. In constant mode dX cuts off what was added, and the
// filling value gets the sum of it. In the other modes an axis is repeated beyond its
// ends, which is a product with a matrix of one 1 per row, and dX a product with its
// transpose, see padMatrix; sizes of padded axes must be known then. The pads must be
// known. Checked: testdata/pad.npz.
func padRule(c *call) error {
	x := c.n.In[0]
	begins, ends, ok := c.pads()
	if !ok {
		return c.none("computed pads or axes, or unknown rank")
	}
	mode := c.n.Str("mode", "constant")
	if mode == "constant" {
		return c.padConstant(slices.Concat(begins, ends))
	}
	dX := c.dY[0]
	for i, size := range x.Shape {
		if begins[i] == 0 && ends[i] == 0 {
			continue
		}
		if size < 1 || !fits([]int64{size, c.n.Out[0].Shape[i]}) {
			return c.none("mode %s of %v to %v: bind the padded axes", mode, x.Shape, c.n.Out[0].Shape)
		}
		list, ok := padMatrix(mode, size, begins[i], ends[i])
		if !ok {
			return c.none("mode %s of %v by %d and %d", mode, x.Shape, begins[i], ends[i])
		}
		m, err := constantOf(x.DType, []int64{int64(len(list)) / size, size}, list)
		if err != nil {
			return c.none("mode %s in %s", mode, x.DType)
		}
		dX = c.alongAxis(dX, i, c.Const("", m))
	}
	return c.give(0, dX)
}

// padConstant is padRule in constant mode, with pads for every axis.
func (c *call) padConstant(pads []int64) error {
	x, dY := c.n.In[0], c.dY[0]
	if c.wants(0) {
		back := slices.Clone(pads)
		for i := range back {
			back[i] = -back[i]
		}
		if err := c.give(0, c.Pad(dY, back...)); err != nil {
			return err
		}
	}
	if !c.wants(2) {
		return nil
	}
	added := c.Sub(c.like(x, 1), c.Pad(c.filled(x, 1), pads...))
	return c.give(2, c.reshapedLike(c.ReduceSum(c.Mul(dY, added)), c.n.In[2]))
}

// pads returns what is added at the begin and the end of each axis.
func (c *call) pads() (begins, ends []int64, ok bool) {
	x := c.n.In[0]
	pads, ok := integers(c.n.Input(1))
	if !ok || x.Shape == nil {
		return nil, nil, false
	}
	axes := count(0, len(pads)/2)
	if v := c.n.Input(3); v != nil {
		if axes, ok = integers(v); !ok || 2*len(axes) != len(pads) {
			return nil, nil, false
		}
	}
	begins, ends = make([]int64, len(x.Shape)), make([]int64, len(x.Shape))
	for i, a := range axes {
		axis := c.axis(a, x)
		begins[axis], ends[axis] = pads[i], pads[len(axes)+i]
	}
	return begins, ends, true
}

// padMatrix returns the matrix, in row-major order, that pads an axis: row o has its 1
// at the element that output o repeats. Pads below 0, which cut, are not mixed with
// others.
func padMatrix(mode string, size, begin, end int64) ([]float64, bool) {
	if min(begin, end) < 0 && max(begin, end) > 0 {
		return nil, false
	}
	var m []float64
	for at := -begin; at < size+end; at++ {
		var from int64
		switch mode {
		case "edge":
			from = min(max(at, 0), size-1)
		case "reflect": // about the middle of the outermost elements, to and fro
			period := max(2*(size-1), 1)
			from = ((at % period) + period) % period
			from = min(from, period-from)
		case "wrap":
			from = ((at % size) + size) % size
		default:
			return nil, false
		}
		row := make([]float64, size)
		row[from] = 1
		m = append(m, row...)
	}
	return m, true
}

// spread puts step − 1 zeros after each element of v along an axis, whose size must be
// known; of the others one may be open.
func (w *walk) spread(v *onnx.Value, axis int, step int64) *onnx.Value {
	rank := len(v.Shape)
	shape := slices.Clone(v.Shape)
	for i, size := range shape {
		shape[i] = max(size, -1)
	}
	shape[axis] *= step
	pads := make([]int64, 2*(rank+1))
	pads[rank+1+axis+1] = step - 1
	return w.Reshape(w.Pad(w.Unsqueeze(v, int64(axis)+1), pads...), shape...)
}
