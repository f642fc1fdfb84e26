package onnx

import "trilobite/tensor"

// Reshape gives X's elements another shape: 0 keeps a dimension, -1 is what is left.
func (b *Builder) Reshape(x *Value, shape ...int64) *Value {
	return b.ReshapeTo(x, b.Ints(shape...))
}

// ReshapeTo is Reshape by a shape that the graph computes, an int64 vector.
func (b *Builder) ReshapeTo(x, shape *Value) *Value { return b.op("Reshape", nil, x, shape) }

// Flatten makes a matrix of X: the axes before axis, and the others.
func (b *Builder) Flatten(x *Value, axis int64) *Value {
	return b.op("Flatten", map[string]any{"axis": axis}, x)
}

// Transpose permutes axes: axis i of the result is axis perm[i] of X.
func (b *Builder) Transpose(x *Value, perm ...int64) *Value {
	m := map[string]any{}
	setInts(m, "perm", perm)
	return b.op("Transpose", m, x)
}

// Squeeze removes axes of size 1: those given, or all of them if none is given.
func (b *Builder) Squeeze(x *Value, axes ...int64) *Value {
	if len(axes) == 0 {
		return b.op("Squeeze", nil, x)
	}
	return b.op("Squeeze", nil, x, b.Ints(axes...))
}

// Unsqueeze inserts axes of size 1; axes are positions in the result.
func (b *Builder) Unsqueeze(x *Value, axes ...int64) *Value {
	return b.op("Unsqueeze", nil, x, b.Ints(axes...))
}

// Expand stretches X to the broadcast of its shape and the given one.
func (b *Builder) Expand(x *Value, shape ...int64) *Value { return b.ExpandTo(x, b.Ints(shape...)) }

// ExpandTo is Expand by a shape that the graph computes, an int64 vector.
func (b *Builder) ExpandTo(x, shape *Value) *Value { return b.op("Expand", nil, x, shape) }

// Tile repeats X along each axis.
func (b *Builder) Tile(x *Value, repeats ...int64) *Value {
	return b.op("Tile", nil, x, b.Ints(repeats...))
}

// Concat joins values along an axis.
func (b *Builder) Concat(axis int64, xs ...*Value) *Value {
	return b.op("Concat", map[string]any{"axis": axis}, xs...)
}

// Split cuts X along an axis into pieces of the given sizes.
func (b *Builder) Split(x *Value, axis int64, sizes ...int64) []*Value {
	return b.Op("Split", []*Value{x, b.Ints(sizes...)}, map[string]any{"axis": axis}, len(sizes))
}

// Slice cuts [start, end) of each named axis; negative positions count from the end.
func (b *Builder) Slice(x *Value, axes, starts, ends []int64) *Value {
	return b.op("Slice", nil, x, b.Ints(starts...), b.Ints(ends...), b.Ints(axes...))
}

// SliceStep is Slice that takes every steps-th element; a negative step goes back.
func (b *Builder) SliceStep(x *Value, axes, starts, ends, steps []int64) *Value {
	return b.op("Slice", nil, x, b.Ints(starts...), b.Ints(ends...), b.Ints(axes...), b.Ints(steps...))
}

// Pad surrounds X with zeros: pads holds the begins of all axes, then the ends.
// Negative entries cut.
func (b *Builder) Pad(x *Value, pads ...int64) *Value { return b.op("Pad", nil, x, b.Ints(pads...)) }

// PadWith is Pad in any of ONNX's modes, "constant", "reflect", "edge" or "wrap"; the
// scalar value fills in constant mode and may be nil.
func (b *Builder) PadWith(x *Value, pads []int64, mode string, value *Value) *Value {
	return b.op("Pad", map[string]any{"mode": mode}, x, b.Ints(pads...), value)
}

// DepthToSpace moves channels into blocks of size×size pixels. The mode is "DCR"
// (depth, column, row: channel = block·C + c) or "CRD" (channel = c·size² + block).
func (b *Builder) DepthToSpace(x *Value, size int64, mode string) *Value {
	return b.op("DepthToSpace", map[string]any{"blocksize": size, "mode": mode}, x)
}

// SpaceToDepth moves blocks of size×size pixels into channels, block by block.
func (b *Builder) SpaceToDepth(x *Value, size int64) *Value {
	return b.op("SpaceToDepth", map[string]any{"blocksize": size}, x)
}

// Shape is X's shape, an int64 vector.
func (b *Builder) Shape(x *Value) *Value { return b.op("Shape", nil, x) }

// Size is X's number of elements, an int64 scalar.
func (b *Builder) Size(x *Value) *Value { return b.op("Size", nil, x) }

// Range counts from start by delta up to, not including, limit; three scalars.
func (b *Builder) Range(start, limit, delta *Value) *Value {
	return b.op("Range", nil, start, limit, delta)
}

// ConstantOfShape fills a shape, an int64 vector, with one value; a nil value is the
// float32 0.
func (b *Builder) ConstantOfShape(shape *Value, value *tensor.Tensor) *Value {
	m := map[string]any{}
	if value != nil {
		v, err := value.Reshape(1)
		if err != nil {
			b.fail(err)
			return &Value{}
		}
		m["value"] = v
	}
	return b.op("ConstantOfShape", m, shape)
}

// Trilu keeps the upper or lower triangle of the last two axes, moved by k diagonals.
func (b *Builder) Trilu(x *Value, upper bool, k int64) *Value {
	m := map[string]any{"upper": int64(0)}
	setBool(m, "upper", upper)
	return b.op("Trilu", m, x, b.Int(k))
}
