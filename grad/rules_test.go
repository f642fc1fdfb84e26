package grad

import (
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

type (
	builder = *onnx.Builder
	values  = []*onnx.Value
)

func one(f func(b builder, x *onnx.Value) *onnx.Value) func(builder, values) *onnx.Value {
	return func(b builder, x values) *onnx.Value { return f(b, x[0]) }
}

func two(f func(b builder, x, y *onnx.Value) *onnx.Value) func(builder, values) *onnx.Value {
	return func(b builder, x values) *onnx.Value { return f(b, x[0], x[1]) }
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	power := func(p float64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Pow(x[0], b.Scalar(x[0].DType, p)) }
	}
	where := func(b builder, x values) *onnx.Value { return b.Where(x[0], x[1], x[2]) }
	testFamily(t, "arithmetic.npz", []graphCase{
		{"add", two(builder.Add), double},
		{"add_row", two(builder.Add), double},
		{"add_both", two(builder.Add), double},
		{"add_itself", func(b builder, x values) *onnx.Value { return b.Add(x[0], x[0]) }, double},
		{"sub_column", two(builder.Sub), double},
		{"mul", two(builder.Mul), double},
		{"mul_scalar", two(builder.Mul), double},
		{"mul_itself", func(b builder, x values) *onnx.Value { return b.Mul(x[0], x[0]) }, double},
		{"div", two(builder.Div), double},
		{"pow", two(builder.Pow), double},
		{"pow_2", power(2), double},
		{"pow_3", power(3), double},
		{"pow_half", power(0.5), double},
		{"pow_1", power(1), double},
		{"pow_0", power(0), double},
		{"sum", func(b builder, x values) *onnx.Value { return b.Sum(x...) }, double},
		{"mean", func(b builder, x values) *onnx.Value { return b.Mean(x...) }, single},
		{"max", func(b builder, x values) *onnx.Value { return b.Max(x...) }, double},
		{"min", func(b builder, x values) *onnx.Value { return b.Min(x...) }, double},
		{"max_ties", func(b builder, x values) *onnx.Value { return b.Max(x...) }, kink},
		{"where", where, double},
		{"where_scalar", where, double},
	})
}

func TestPointwise(t *testing.T) {
	t.Parallel()
	testFamily(t, "pointwise.npz", []graphCase{
		{"neg", one(builder.Neg), double},
		{"abs", one(builder.Abs), double},
		{"abs_zero", one(builder.Abs), kink},
		{"sqrt", one(builder.Sqrt), double},
		{"reciprocal", one(builder.Reciprocal), double},
		{"exp", one(builder.Exp), double},
		{"log", one(builder.Log), double},
		{"identity", one(builder.Identity), double},
		{"cast", func(b builder, x values) *onnx.Value {
			return b.Cast(b.Cast(x[0], tensor.Float64), x[0].DType)
		}, double},
	})
}

func TestActivation(t *testing.T) {
	t.Parallel()
	leaky := func(alpha float32) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.LeakyRelu(x[0], alpha) }
	}
	elu := func(alpha float32) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Elu(x[0], alpha) }
	}
	gelu := func(approximate bool) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Gelu(x[0], approximate) }
	}
	softmax := func(axis int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Softmax(x[0], axis) }
	}
	testFamily(t, "activation.npz", []graphCase{
		{"relu", one(builder.Relu), double},
		{"relu_zero", one(builder.Relu), kink},
		{"leaky", leaky(0.1), single},
		{"leaky_steep", leaky(1.5), single},
		{"elu", elu(1), single},
		{"elu_alpha", elu(0.6), single},
		{"clip", func(b builder, x values) *onnx.Value { return b.ClipTo(x[0], -1, 0.5) }, double},
		{"clip_low", func(b builder, x values) *onnx.Value { return b.Clip(x[0], b.Scalar(x[0].DType, -1), nil) }, double},
		{"clip_high", func(b builder, x values) *onnx.Value { return b.Clip(x[0], nil, b.Scalar(x[0].DType, 0.5)) }, double},
		{"relu6_limits", func(b builder, x values) *onnx.Value { return b.ClipTo(x[0], 0, 6) }, kink},
		{"sigmoid", one(builder.Sigmoid), double},
		{"hard_sigmoid", func(b builder, x values) *onnx.Value { return b.HardSigmoid(x[0], 1.0/6, 0.5) }, single},
		{"hard_swish", one(builder.HardSwish), single},
		{"tanh", one(builder.Tanh), double},
		{"softplus", one(builder.Softplus), single},
		{"erf", one(builder.Erf), single},
		{"gelu", gelu(false), single},
		{"gelu_tanh", gelu(true), single},
		{"softmax", softmax(-1), double},
		{"softmax_channels", softmax(1), double},
		{"log_softmax", func(b builder, x values) *onnx.Value { return b.LogSoftmax(x[0], 1) }, double},
	})
}

func TestMatMul(t *testing.T) {
	t.Parallel()
	gemm := func(a onnx.GemmAttrs) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.Gemm(x[0], x[1], append(x, nil)[2], a)
		}
	}
	testFamily(t, "matmul.npz", []graphCase{
		{"matrices", two(builder.MatMul), double},
		{"batch", two(builder.MatMul), double},
		{"batch_shared", two(builder.MatMul), double},
		{"shared_batch", two(builder.MatMul), double},
		{"batch_stretched", two(builder.MatMul), double},
		{"vector_matrix", two(builder.MatMul), double},
		{"matrix_vector", two(builder.MatMul), double},
		{"batch_vector", two(builder.MatMul), double},
		{"vector_batch", two(builder.MatMul), double},
		{"vectors", two(builder.MatMul), double},
		{"gemm", gemm(onnx.GemmAttrs{Alpha: 0.5, Beta: 2}), double},
		{"gemm_ta", gemm(onnx.GemmAttrs{TransA: true}), double},
		{"gemm_tb", gemm(onnx.GemmAttrs{TransB: true}), double},
		{"gemm_tab", gemm(onnx.GemmAttrs{Alpha: 3, TransA: true, TransB: true}), double},
	})
}

func TestLayout(t *testing.T) {
	t.Parallel()
	permute := func(perm ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Transpose(x[0], perm...) }
	}
	pad := func(pads ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Pad(x[0], pads...) }
	}
	slice := func(axes, starts, ends, steps []int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.SliceStep(x[0], axes, starts, ends, steps) }
	}
	testFamily(t, "layout.npz", []graphCase{
		{"reshape", func(b builder, x values) *onnx.Value { return b.Reshape(x[0], 3, -1) }, double},
		{"flatten", func(b builder, x values) *onnx.Value { return b.Flatten(x[0], 1) }, double},
		{"squeeze", func(b builder, x values) *onnx.Value { return b.Squeeze(x[0], 1) }, double},
		{"unsqueeze", func(b builder, x values) *onnx.Value { return b.Unsqueeze(x[0], 1) }, double},
		{"transpose", permute(2, 0, 1), double},
		{"reversed", permute(), double},
		{"expand", func(b builder, x values) *onnx.Value { return b.Expand(x[0], 2, 1, 4) }, double},
		{"concat", func(b builder, x values) *onnx.Value { return b.Concat(-1, x...) }, double},
		{"split", func(b builder, x values) *onnx.Value { // the piece in the middle is not used
			p := b.Split(x[0], 1, 1, 2, 2)
			return b.Concat(1, b.Add(p[2], p[2]), p[0])
		}, double},
		{"slice", slice([]int64{0, -1}, []int64{1, -3}, []int64{3, -1}, []int64{1, 1}), double},
		{"slice_beyond", slice([]int64{1}, []int64{2}, []int64{1 << 40}, []int64{1}), double},
		{"slice_step", slice([]int64{1, 2}, []int64{1, 0}, []int64{5, 7}, []int64{2, 3}), double},
		{"pad", pad(0, 0, 1, 0, 3, 2), double},
		{"pad_cut", pad(0, -1, 0, 2), double},
	})
}

func TestReduce(t *testing.T) {
	t.Parallel()
	over := func(f func(b builder, x *onnx.Value, axes ...int64) *onnx.Value, axes ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return f(b, x[0], axes...) }
	}
	testFamily(t, "reduce.npz", []graphCase{
		{"sum", over(builder.ReduceSum, 0, 2), double},
		{"sum_keep", over(builder.ReduceSumKeep, -1), double},
		{"sum_all", over(builder.ReduceSum), double},
		{"mean", over(builder.ReduceMean, -1, 1), double},
		{"mean_all", over(builder.ReduceMean), double},
		{"max", over(builder.ReduceMax, 1), double},
		{"max_ties", over(builder.ReduceMax, 1), kink},
		{"min", over(builder.ReduceMinKeep, 0, 2), double},
		{"l2", over(builder.ReduceL2, 1), double},
		{"l2_zero", over(builder.ReduceL2, 1), kink},
		{"global_average", one(builder.GlobalAveragePool), single},
	})
}
