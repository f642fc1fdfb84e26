package grad

import (
	"strings"
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

// named is an operator of one input and no attributes.
func named(op string) func(builder, values) *onnx.Value {
	return func(b builder, x values) *onnx.Value { return b.Op(op, x[:1], nil, 1)[0] }
}

func TestMoreActivations(t *testing.T) {
	t.Parallel()
	alpha := func(op string, alpha float32) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.Op(op, x, map[string]any{"alpha": alpha}, 1)[0]
		}
	}
	testFamily(t, "activation_2.npz", []graphCase{
		{"prelu", two(builder.PRelu), single},
		{"prelu_channels", two(builder.PRelu), single},
		{"celu", alpha("Celu", 0.7), single},
		{"selu", named("Selu"), single},
		{"thresholded_relu", alpha("ThresholdedRelu", 0.5), single},
		{"softsign", one(builder.Softsign), single},
		{"mish", one(builder.Mish), single},
		{"clip_limits", func(b builder, x values) *onnx.Value { return b.Clip(x[0], x[1], x[2]) }, double},
		{"clip_lower_limit", func(b builder, x values) *onnx.Value { return b.Clip(x[0], x[1], nil) }, double},
		{"clip_upper_limit", func(b builder, x values) *onnx.Value { return b.Clip(x[0], nil, x[1]) }, double},
	})
}

func TestPowOfZeros(t *testing.T) {
	t.Parallel()
	testFamily(t, "arithmetic_2.npz", []graphCase{{"pow_zeros", two(builder.Pow), kink}})
}

func TestTrigonometry(t *testing.T) {
	t.Parallel()
	var cases []graphCase
	for _, op := range []string{"Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh"} {
		cases = append(cases, graphCase{strings.ToLower(op), named(op), single})
	}
	testFamily(t, "trigonometry.npz", cases)
}

func TestMoreReductions(t *testing.T) {
	t.Parallel()
	over := func(op string, keep int64, axes ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.Op(op, values{x[0], b.Ints(axes...)}, map[string]any{"keepdims": keep}, 1)[0]
		}
	}
	testFamily(t, "reduce_2.npz", []graphCase{
		{"l1", over("ReduceL1", 0, 1), single},
		{"sum_square", over("ReduceSumSquare", 1, 0, 2), double},
		{"log_sum", over("ReduceLogSum", 0, 1), single},
		{"log_sum_exp", over("ReduceLogSumExp", 0, 1, 2), double},
		{"prod", over("ReduceProd", 0, 1), single},
		{"prod_zeros", over("ReduceProd", 0, 1), single},
	})
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	depth := func(mode string) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.DepthToSpace(x[0], 2, mode) }
	}
	sum := func(attrs map[string]any) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.Op("CumSum", values{x[0], b.Int(1)}, attrs, 1)[0]
		}
	}
	drop := func(ratio float64, training bool) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.Op("Dropout", values{x[0], b.Scalar(tensor.Float32, ratio), b.Const("", tensor.Scalar(training))}, nil, 1)[0]
		}
	}
	testFamily(t, "layout_2.npz", []graphCase{
		{"tile", func(b builder, x values) *onnx.Value { return b.Tile(x[0], 2, 1, 3) }, double},
		{"depth_to_space", depth("DCR"), double},
		{"pixel_shuffle", depth("CRD"), double},
		{"space_to_depth", func(b builder, x values) *onnx.Value { return b.SpaceToDepth(x[0], 2) }, double},
		{"cumsum", sum(nil), double},
		{"cumsum_reverse", sum(map[string]any{"reverse": int64(1)}), double},
		{"cumsum_exclusive", sum(map[string]any{"exclusive": int64(1)}), double},
		{"triu", func(b builder, x values) *onnx.Value { return b.Trilu(x[0], true, 1) }, double},
		{"tril", func(b builder, x values) *onnx.Value { return b.Trilu(x[0], false, 0) }, double},
		{"dropout_off", drop(0.5, false), single},
		{"dropout_none", drop(0, true), single},
	})
}

func TestPad(t *testing.T) {
	t.Parallel()
	pad := func(mode string, pads ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.PadWith(x[0], pads, mode, append(x, nil)[1]) }
	}
	testFamily(t, "pad.npz", []graphCase{
		{"reflect", pad("reflect", 0, 0, 1, 2, 0, 0, 2, 1), double},
		{"edge", pad("edge", 0, 0, 0, 2, 0, 0, 3, 1), double},
		{"wrap", pad("wrap", 0, 0, 0, 2, 0, 0, 3, 1), double},
		{"reflect_line", pad("reflect", 0, 0, 3, 0, 0, 2), double},
		{"edge_cut", pad("edge", 0, 0, -1, 0, 0, -2), double},
		{"filling", pad("constant", 0, 1, 0, 2), double},
	})
}

func TestGather(t *testing.T) {
	t.Parallel()
	axis := func(f func(b builder, x, indices *onnx.Value, axis int64) *onnx.Value, axis int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return f(b, x[0], x[1], axis) }
	}
	known := func(axis int64, indices *tensor.Tensor) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Gather(x[0], b.Const("", indices), axis) }
	}
	scatter := func(axis int64, reduction string) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.ScatterElements(x[0], x[1], x[2], axis, reduction) }
	}
	scatterND := func(reduction string) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.ScatterND(x[0], x[1], x[2], reduction) }
	}
	testFamily(t, "gather.npz", []graphCase{
		{"one", known(1, tensor.Scalar[int64](1)), double},
		{"run", known(0, tensor.Vector[int64](1, 2)), double},
		{"from_the_end", known(1, tensor.Vector[int64](-2, -1)), double},
		{"repeated", axis(builder.Gather, 0), double},
		{"matrix", axis(builder.Gather, 1), double},
		{"scalar", axis(builder.Gather, 1), double},
		{"elements", axis(builder.GatherElements, 1), double},
		{"nd", axis(builder.GatherND, 0), double},
		{"nd_batch", axis(builder.GatherND, 1), double},
		{"scatter", scatter(1, "none"), double},
		{"scatter_add", scatter(0, "add"), double},
		{"scatter_nd", scatterND("none"), double},
		{"scatter_nd_add", scatterND("add"), double},
		{"top_k", func(b builder, x values) *onnx.Value {
			y, _ := b.TopK(x[0], 2, 1)
			return y
		}, double},
	})
}

func TestEinsum(t *testing.T) {
	t.Parallel()
	var cases []graphCase
	for name, equation := range map[string]string{
		"matrices": "ij,jk->ik", "attention": "bhqd,bhkd->bhqk", "outer": "i,j->ij", "three": "ij,jk,kl->il",
		"summed": "ij->i", "summed_alone": "ij,k->i", "trace": "ii->", "diagonal": "bii->bi",
		"ellipsis": "...ij,...jk->...ik", "ellipsis_stretched": "...ij, jk -> ...ik", "implicit": "kj,ik",
	} {
		cases = append(cases, graphCase{name, func(b builder, x values) *onnx.Value { return b.Einsum(equation, x...) }, double})
	}
	itself := func(b builder, x values) *onnx.Value { return b.Einsum("ij,kj->ik", x[0], x[0]) }
	testFamily(t, "einsum.npz", append(cases, graphCase{"itself", itself, double}))
}
