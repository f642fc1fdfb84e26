package grad

import (
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

func TestBatchNormalization(t *testing.T) {
	t.Parallel()
	frozen := func(b builder, x values) *onnx.Value {
		return b.BatchNormalization(x[0], x[1], x[2], x[3], x[4], 1e-3)
	}
	training := func(b builder, x values) *onnx.Value {
		y, _, _ := b.BatchNormalizationTraining(x[0], x[1], x[2], x[3], x[4], 1e-5, 0.9)
		return y
	}
	testFamily(t, "norm.npz", []graphCase{
		{"frozen", frozen, double},
		{"frozen_matrix", frozen, double},
		{"training", training, double},
		{"training_matrix", training, double},
		{"training_far_from_0", training, double},
	})
}

// The statistics that the batch is normalised by are not those given.
func TestBatchNormalizationAfterConv(t *testing.T) {
	t.Parallel()
	training := func(b builder, x, scale, bias *onnx.Value) *onnx.Value {
		zero := b.Const("", tensor.Of(scale.Shape, make([]float32, scale.Shape[0])))
		y, _, _ := b.BatchNormalizationTraining(x, scale, bias, zero, b.Exp(zero), 1e-5, 0.9)
		return y
	}
	after := func(b builder, x values) *onnx.Value {
		return training(b, b.Conv(x[0], x[1], nil, onnx.ConvAttrs{}), x[2], x[3])
	}
	testFamily(t, "norm_2.npz", []graphCase{
		{"wide", func(b builder, x values) *onnx.Value { return training(b, x[0], x[1], x[2]) }, single},
		{"projected", after, single},
		{"projected_far_from_0", after, single},
		{"scaled", after, single},
	})
}

func TestSelfNormalization(t *testing.T) {
	t.Parallel()
	layer := func(axis int64, epsilon float32) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.LayerNormalization(x[0], x[1], append(x, nil)[2], axis, epsilon)
		}
	}
	instance := func(epsilon float32) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.InstanceNormalization(x[0], x[1], x[2], epsilon) }
	}
	group := func(groups int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.GroupNormalization(x[0], x[1], x[2], groups, 1e-3) }
	}
	lp := func(axis, p int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.LpNormalization(x[0], axis, p) }
	}
	testFamily(t, "norm_layer.npz", []graphCase{
		{"layer", layer(-1, 1e-5), single},
		{"layer_axes", layer(1, 1e-3), single},
		{"layer_without_bias", layer(-1, 1e-5), single},
		{"instance", instance(1e-5), single},
		{"instance_line", instance(1e-3), single},
		{"group", group(2), single},
		{"group_all", group(1), single},
		{"lp", lp(1, 2), double},
		{"lp_1", lp(-1, 1), double},
	})
}
