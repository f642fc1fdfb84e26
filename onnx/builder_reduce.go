package onnx

// Reductions drop the axes they reduce; those ending in Keep leave them with size 1.
// Without axes they reduce all.

// ReduceSum adds over axes.
func (b *Builder) ReduceSum(x *Value, axes ...int64) *Value { return b.reduce("ReduceSum", x, axes, 0) }

// ReduceSumKeep adds over axes, which stay with size 1.
func (b *Builder) ReduceSumKeep(x *Value, axes ...int64) *Value {
	return b.reduce("ReduceSum", x, axes, 1)
}

// ReduceMean averages over axes.
func (b *Builder) ReduceMean(x *Value, axes ...int64) *Value {
	return b.reduce("ReduceMean", x, axes, 0)
}

// ReduceMeanKeep averages over axes, which stay with size 1.
func (b *Builder) ReduceMeanKeep(x *Value, axes ...int64) *Value {
	return b.reduce("ReduceMean", x, axes, 1)
}

// ReduceMax is the largest over axes.
func (b *Builder) ReduceMax(x *Value, axes ...int64) *Value { return b.reduce("ReduceMax", x, axes, 0) }

// ReduceMaxKeep is the largest over axes, which stay with size 1.
func (b *Builder) ReduceMaxKeep(x *Value, axes ...int64) *Value {
	return b.reduce("ReduceMax", x, axes, 1)
}

// ReduceMin is the smallest over axes.
func (b *Builder) ReduceMin(x *Value, axes ...int64) *Value { return b.reduce("ReduceMin", x, axes, 0) }

// ReduceMinKeep is the smallest over axes, which stay with size 1.
func (b *Builder) ReduceMinKeep(x *Value, axes ...int64) *Value {
	return b.reduce("ReduceMin", x, axes, 1)
}

// ReduceL2 is the square root of the sum of squares over axes.
func (b *Builder) ReduceL2(x *Value, axes ...int64) *Value { return b.reduce("ReduceL2", x, axes, 0) }

// ReduceL2Keep is ReduceL2 whose axes stay with size 1.
func (b *Builder) ReduceL2Keep(x *Value, axes ...int64) *Value {
	return b.reduce("ReduceL2", x, axes, 1)
}

// ReduceProd multiplies over axes.
func (b *Builder) ReduceProd(x *Value, axes ...int64) *Value {
	return b.reduce("ReduceProd", x, axes, 0)
}

func (b *Builder) reduce(op string, x *Value, axes []int64, keep int64) *Value {
	attrs := map[string]any{"keepdims": keep}
	if len(axes) == 0 {
		return b.op(op, attrs, x)
	}
	return b.op(op, attrs, x, b.Ints(axes...))
}
