package grad

import (
	"slices"

	"trilobite/onnx"
)

// Operators that move blocks of elements: dX moves dY's back, and adds up copies.
// Checked: testdata/layout_2.npz.

// tileRule is the gradient of Tile: dX is dY summed over the copies.
func tileRule(c *call) error {
	x := c.n.In[0]
	repeats, ok := integers(c.n.In[1])
	switch {
	case x.Shape == nil || ok && len(repeats) != len(x.Shape):
		return c.none("unknown rank")
	case !ok || unknown(x.Shape) > 1:
		return c.give(0, c.untiled(x))
	}
	var shape, copies []int64
	for i, size := range x.Shape {
		if repeats[i] != 1 {
			copies = append(copies, int64(len(shape)))
			shape = append(shape, repeats[i])
		}
		shape = append(shape, max(size, -1))
	}
	if copies == nil {
		return c.give(0, c.dY[0])
	}
	return c.give(0, c.ReduceSum(c.Reshape(c.dY[0], shape...), copies...))
}

// untiled is dY summed over copies whose numbers the graph computes, in axes of
// repeats[0], X's first size, repeats[1], X's second size, ….
func (c *call) untiled(x *onnx.Value) *onnx.Value {
	column := func(v *onnx.Value) *onnx.Value { return c.Reshape(v, -1, 1) }
	shape := c.Reshape(c.Concat(1, column(c.n.In[1]), column(c.sizeOf(x))), -1)
	copies := make([]int64, len(x.Shape))
	for i := range copies {
		copies[i] = int64(2 * i)
	}
	if len(copies) == 0 {
		return c.dY[0]
	}
	return c.reshapedLike(c.ReduceSum(c.ReshapeTo(c.dY[0], shape), copies...), x)
}

// SpaceToDepth: dX is DepthToSpace of dY, in its mode DCR.
func spaceToDepthGrad(c *call, _, _, dY *onnx.Value) *onnx.Value {
	return c.DepthToSpace(dY, c.n.Int("blocksize", 1), "DCR")
}

// depthToSpaceRule is the gradient of DepthToSpace: SpaceToDepth of dY, which orders the
// channels block by block (DCR); in mode CRD they are then exchanged, for which X's sizes
// but N must be known.
func depthToSpaceRule(c *call) error {
	x, size := c.n.In[0], c.n.Int("blocksize", 1)
	dX := c.SpaceToDepth(c.dY[0], size)
	if c.n.Str("mode", "DCR") == "DCR" {
		return c.give(0, dX)
	}
	if len(x.Shape) != 4 || !x.Shape[1:].Static() {
		return c.none("%v: bind all sizes but the batch", x.Shape)
	}
	dX = c.Reshape(dX, slices.Concat([]int64{0, size * size, x.Shape[1] / (size * size)}, x.Shape[2:])...)
	return c.give(0, c.reshapedLike(c.Transpose(dX, 0, 2, 1, 3, 4), x))
}

// CumSum: dX sums dY from the other end.
func cumSumGrad(c *call, _, _, dY *onnx.Value) *onnx.Value {
	attrs := map[string]any{"exclusive": c.n.Int("exclusive", 0), "reverse": 1 - c.n.Int("reverse", 0)}
	return c.Op("CumSum", []*onnx.Value{dY, c.n.In[1]}, attrs, 1)[0]
}

// Trilu: dX is the same triangle of dY.
func triluGrad(c *call, _, _, dY *onnx.Value) *onnx.Value {
	return c.Op("Trilu", []*onnx.Value{dY, c.n.Input(1)}, map[string]any{"upper": c.n.Int("upper", 1)}, 1)[0]
}
