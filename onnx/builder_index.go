package onnx

// Gather picks entries of one axis: the indices' shape takes that axis's place.
func (b *Builder) Gather(x, indices *Value, axis int64) *Value {
	return b.op("Gather", map[string]any{"axis": axis}, x, indices)
}

// GatherElements picks, at each position of indices, X's element at that position
// with the coordinate of axis replaced by the index.
func (b *Builder) GatherElements(x, indices *Value, axis int64) *Value {
	return b.op("GatherElements", map[string]any{"axis": axis}, x, indices)
}

// GatherND picks slices of X by the index tuples in the last axis of indices.
func (b *Builder) GatherND(x, indices *Value, batchDims int64) *Value {
	return b.op("GatherND", map[string]any{"batch_dims": batchDims}, x, indices)
}

// ScatterElements is X with updates written where GatherElements would read. The
// reduction is "none", "add", "mul", "max" or "min".
func (b *Builder) ScatterElements(x, indices, updates *Value, axis int64, reduction string) *Value {
	return b.op("ScatterElements", map[string]any{"axis": axis, "reduction": reduction}, x, indices, updates)
}

// ScatterND is X with updates written where GatherND would read; reduction as in
// ScatterElements.
func (b *Builder) ScatterND(x, indices, updates *Value, reduction string) *Value {
	return b.op("ScatterND", map[string]any{"reduction": reduction}, x, indices, updates)
}

// OneHot puts on at the index and off elsewhere along a new axis of the given depth.
// values is the vector [off, on].
func (b *Builder) OneHot(indices *Value, depth int64, values *Value, axis int64) *Value {
	return b.op("OneHot", map[string]any{"axis": axis}, indices, b.Int(depth), values)
}

// TopK returns the k largest along an axis in falling order, and their indices.
func (b *Builder) TopK(x *Value, k, axis int64) (values, indices *Value) {
	out := b.Op("TopK", []*Value{x, b.Ints(k)}, map[string]any{"axis": axis}, 2)
	return out[0], out[1]
}

// ArgMax is the index of the largest along an axis, the first of equals. The axis is
// dropped.
func (b *Builder) ArgMax(x *Value, axis int64) *Value {
	return b.op("ArgMax", map[string]any{"axis": axis, "keepdims": int64(0)}, x)
}

// ArgMin is the index of the smallest along an axis, the first of equals. The axis is
// dropped.
func (b *Builder) ArgMin(x *Value, axis int64) *Value {
	return b.op("ArgMin", map[string]any{"axis": axis, "keepdims": int64(0)}, x)
}

// NonZero lists the coordinates of the elements that are not 0: (rank, count), int64.
func (b *Builder) NonZero(x *Value) *Value { return b.op("NonZero", nil, x) }

// NonMaxSuppression picks boxes: boxes (N, count, 4) as y1, x1, y2, x2 and scores (N,
// classes, count) give rows of batch, class and box index, (selected, 3), int64.
func (b *Builder) NonMaxSuppression(boxes, scores *Value, maxPerClass int64, iou, minScore float32) *Value {
	return b.op("NonMaxSuppression", nil, boxes, scores, b.Int(maxPerClass), b.Scalar(1, float64(iou)), b.Scalar(1, float64(minScore)))
}
