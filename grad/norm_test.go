package grad

import (
	"testing"

	"trilobite/onnx"
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
