package grad

import (
	"slices"

	"trilobite/onnx"
)

// Operators that pick elements by indices, which have no derivative. dX is zeros to
// which dY is added where it was picked from, by ScatterElements: ONNX Runtime adds one
// after the other there, so that the sum is the same each time. Checked:
// testdata/gather.npz.

// gatherRule is the gradient of Gather along an axis. Known indices that count up by
// one, or a single one, as x[:, 0] has, make dX a Pad of dY.
func gatherRule(c *call) error {
	x, indices, dY := c.n.In[0], c.n.In[1], c.dY[0]
	if x.Shape == nil || indices.Shape == nil {
		return c.none("unknown rank")
	}
	axis := c.axis(c.n.Int("axis", 0), x)
	rows := dY
	if len(indices.Shape) != 1 {
		rows = c.ReshapeTo(dY, c.resized(x, axis, c.Ints(-1)))
	}
	if list, ok := integers(indices); ok && x.Shape[axis] > 0 && consecutive(list) {
		pads := make([]int64, 2*len(x.Shape))
		pads[axis] = list[0]
		if list[0] < 0 {
			pads[axis] += x.Shape[axis]
		}
		pads[len(x.Shape)+axis] = x.Shape[axis] - pads[axis] - int64(len(list))
		return c.give(0, c.Pad(rows, pads...))
	}
	line := slices.Repeat([]int64{1}, len(x.Shape))
	line[axis] = -1
	at := c.ExpandTo(c.Reshape(indices, line...), c.resized(x, axis, c.Reshape(c.Size(indices), 1)))
	return c.give(0, c.ScatterElements(c.filled(x, 0), at, rows, int64(axis), "add"))
}

// consecutive reports whether list counts up by one and keeps its sign, for indices
// below 0 count from the end.
func consecutive(list []int64) bool {
	for i := 1; i < len(list); i++ {
		if list[i] != list[i-1]+1 || list[i] == 0 {
			return false
		}
	}
	return len(list) > 0
}

// resized is x's shape, an int64 vector, with another size, a vector of one, along an axis.
func (w *walk) resized(x *onnx.Value, axis int, size *onnx.Value) *onnx.Value {
	var parts []*onnx.Value
	shape := w.sizeOf(x)
	if axis > 0 {
		parts = append(parts, w.Slice(shape, []int64{0}, []int64{0}, []int64{int64(axis)}))
	}
	parts = append(parts, size)
	if rank := len(x.Shape); axis < rank-1 {
		parts = append(parts, w.Slice(shape, []int64{0}, []int64{int64(axis) + 1}, []int64{int64(rank)}))
	}
	return w.Concat(0, parts...)
}

// GatherElements along an axis.
func gatherElementsGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.ScatterElements(c.filled(x, 0), c.n.In[1], dY, c.n.Int("axis", 0), "add")
}

// topKRule is the gradient of TopK by its values: dY goes to where they were found.
func topKRule(c *call) error {
	if c.dY[0] == nil || len(c.n.Out) < 2 || c.n.Out[1] == nil {
		return c.none("without its indices")
	}
	x := c.n.In[0]
	return c.give(0, c.ScatterElements(c.filled(x, 0), c.n.Out[1], c.dY[0], c.n.Int("axis", -1), "add"))
}

// gatherNDRule is the gradient of GatherND, Y[b…, i…] = X[b…, I[b…, i…]], b… being
// batch_dims axes: X is taken for a matrix of which each index tuple picks a row. X's
// sizes along b… and i… must be known, and X's others or those of I.
func gatherNDRule(c *call) error {
	x, indices := c.n.In[0], c.n.In[1]
	batch := int(c.n.Int("batch_dims", 0))
	rank := len(indices.Shape)
	if rank == 0 || x.Shape == nil || batch < 0 || batch >= rank || indices.Shape[rank-1] < 1 ||
		!indices.Shape[:batch].Static() || batch+int(indices.Shape[rank-1]) > len(x.Shape) {
		return c.none("%v at %v: bind their sizes", x.Shape, indices.Shape)
	}
	picked := batch + int(indices.Shape[rank-1]) // axes of X that an index and b… fix
	width, picks := int64(-1), int64(-1)
	switch {
	case fits(x.Shape[picked:]):
		width = product(x.Shape[picked:])
	case fits(indices.Shape[:rank-1]):
		picks = product(indices.Shape[:rank-1])
	default:
		return c.none("%v at %v: bind their sizes", x.Shape, indices.Shape)
	}
	if !fits(x.Shape[:picked]) {
		return c.none("%v at %v: bind their sizes", x.Shape, indices.Shape)
	}
	at := c.rowNumbers(batch, x.Shape[:picked])
	rows := product(x.Shape[:picked])
	dY := c.Reshape(c.dY[0], picks, width)
	zeros := c.filled(c.Reshape(x, rows, width), 0)
	dX := c.ScatterElements(zeros, c.ExpandTo(c.Reshape(at, -1, 1), c.Shape(dY)), dY, 0, "add")
	return c.give(0, c.reshapedLike(dX, x))
}

// rowNumbers makes the index tuples of the second input, into axes of the sizes given,
// numbers of rows: Σ index · stride. Its first axes count the first of the sizes.
func (c *call) rowNumbers(batch int, sizes []int64) *onnx.Value {
	indices := c.n.In[1]
	rank := len(indices.Shape)
	var steps []int64
	for i := batch; i < len(sizes); i++ {
		steps = append(steps, product(sizes[i+1:]))
	}
	size := c.Ints(sizes[batch:]...)
	positive := c.Where(c.Less(indices, c.Int(0)), c.Add(indices, size), indices)
	at := c.ReduceSum(c.Mul(positive, c.Ints(steps...)), int64(rank-1))
	for i := range batch {
		line := slices.Repeat([]int64{1}, rank-1)
		line[i] = sizes[i]
		starts := count(0, int(sizes[i]))
		for k := range starts {
			starts[k] *= product(sizes[i+1:])
		}
		at = c.Add(at, c.Reshape(c.Ints(starts...), line...))
	}
	return at
}
