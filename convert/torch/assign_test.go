package torch

import (
	"strings"
	"testing"

	"trilobite/nn"
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

// A published classifier's weights fill the backbone of another network.
func TestAssignUnder(t *testing.T) {
	t.Parallel()
	sd, err := Read("../../.deps/efficientnet-lite0/efficientnet-lite0-57934424.pth")
	if err != nil {
		t.Fatal(err)
	}
	net, err := nn.DeepLabV3Plus(nn.DeepLabV3PlusOptions{SegmenterOptions: nn.SegmenterOptions{
		Backbone: nn.BackboneOptions{Name: "efficientnet_lite0"}, Classes: 2, Height: 64, Width: 64,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := AssignUnder(net.Params, "backbone.", sd); err != nil {
		t.Fatal(err)
	}
	for _, p := range net.Params {
		name, inside := strings.CutPrefix(p.Name, "backbone.")
		if inside != (p.Data == sd.Tensors[name]) {
			t.Errorf("%s: assigned %v, want %v", p.Name, !inside, inside)
		}
	}
	if err := AssignUnder(net.Params, "head.", sd); err == nil || !strings.Contains(err.Error(), "missing head.pool.0.weight") {
		t.Errorf("got error %v, want the missing ones", err)
	}
	if err := AssignUnder(net.Params, "neck.", sd); err == nil || !strings.Contains(err.Error(), `no parameter under "neck."`) {
		t.Errorf("got error %v, want one that names the prefix", err)
	}
}
