package torch

import (
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

func TestAssign(t *testing.T) {
	t.Parallel()
	param := func(name string, shape ...int64) *onnx.Value {
		data := tensor.Of(shape, make([]float32, tensor.Size(shape)))
		return &onnx.Value{Name: name, DType: tensor.Float32, Shape: shape, Data: data}
	}
	params := []*onnx.Value{param("w", 2, 2), param("b", 2)}
	sd := &StateDict{
		Names: []string{"b", "bn.num_batches_tracked", "w"},
		Tensors: map[string]*tensor.Tensor{
			"w":                      tensor.Of([]int64{2, 2}, []float32{1, 2, 3, 4}),
			"b":                      tensor.Of([]int64{2}, []float32{5, 6}),
			"bn.num_batches_tracked": tensor.Scalar(int64(7)),
		},
	}
	if err := Assign(params, sd); err != nil {
		t.Fatal(err)
	}
	if got, _ := tensor.Data[float32](params[0].Data); got[3] != 4 {
		t.Errorf("w = %v", got)
	}

	other := []*onnx.Value{param("w", 4), param("gain", 1)}
	err := Assign(other, sd)
	for _, want := range []string{"missing gain", "w is float32[2,2], want float32[4]", "unexpected b"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q in it", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "num_batches_tracked") {
		t.Errorf("BatchNorm's counter is listed: %v", err)
	}
	if got, _ := tensor.Data[float32](other[0].Data); got[0] != 0 {
		t.Error("a parameter was assigned in spite of the error")
	}
}
