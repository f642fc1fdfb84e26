package nn

import (
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// TestImportedTakesOne: a graph that takes a batch of one apart, as torchvision's detectors
// do, is no backbone; one that needs its batch of one in the end alone is.
func TestImportedTakesOne(t *testing.T) {
	t.Parallel()
	build := func(splitFirst bool) *onnx.Graph {
		b := onnx.NewBuilder("one")
		split := func(x *onnx.Value) *onnx.Value {
			return b.Op("Split", []*onnx.Value{x, b.Ints(1)}, map[string]any{"axis": int64(0)}, 1)[0]
		}
		x := b.Input("x", tensor.Float32, onnx.Shape{1, 3, 32, 32})
		if splitFirst {
			x = split(x)
		}
		w := b.Const("w", tensor.Of([]int64{4, 3, 3, 3}, make([]float32, 4*27)))
		y := b.Op("Conv", []*onnx.Value{x, w}, map[string]any{"strides": []int64{2, 2}, "pads": []int64{1, 1, 1, 1}}, 1)[0]
		if y = b.Relu(y); !splitFirst {
			y = split(y)
		}
		b.Output("y", y)
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	if _, err := Imported(build(true), 32, 32); err == nil || !strings.Contains(err.Error(), "backbone one takes one image at a time") {
		t.Errorf("split at first: %v", err)
	}
	if n, err := Imported(build(false), 32, 32); err != nil || len(n.Taps) != 1 || n.Taps[0].Stride != 2 {
		t.Errorf("split at last: %v", err)
	}
}
