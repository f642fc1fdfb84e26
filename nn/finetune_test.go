package nn

import (
	"slices"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// TestFineTuneTwoHeads: scores that are the sum of two layers', as LR-ASPP's are, keep both
// for as many classes, and for others get two new layers.
func TestFineTuneTwoHeads(t *testing.T) {
	t.Parallel()
	build := func(finish func(b *onnx.Builder, low, high *onnx.Value) *onnx.Value) *onnx.Graph {
		b := onnx.NewBuilder("two")
		weights := func(name string, shape ...int64) *onnx.Value {
			data := make([]float32, tensor.Size(shape))
			for i := range data {
				data[i] = float32(i%5) - 2
			}
			return b.Const(name, tensor.Of(shape, data))
		}
		conv := func(x, w *onnx.Value) *onnx.Value { return b.Op("Conv", []*onnx.Value{x, w}, nil, 1)[0] }
		x := b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 3, 8, 8})
		f := b.Relu(conv(x, weights("w", 4, 3, 1, 1)))
		b.Output("y", b.Identity(finish(b, conv(f, weights("low", 5, 4, 1, 1)), conv(b.Sigmoid(f), weights("high", 5, 4, 1, 1)))))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	sum := func(b *onnx.Builder, low, high *onnx.Value) *onnx.Value { return b.Add(low, high) }
	for _, classes := range []int64{5, 3} {
		n, err := FineTune(build(sum), classes, 8, 8)
		if err != nil {
			t.Fatal(err)
		}
		n.Initialise(1)
		var names []string
		for _, p := range n.Params {
			names = append(names, p.Name)
			if strings.HasPrefix(p.Name, "head") && p.Shape[0] != classes {
				t.Errorf("%d classes: %s is %v", classes, p.Name, p.Shape)
			}
		}
		if want := []string{"backbone.w", "head.weight", "head.bias", "head2.weight", "head2.bias"}; !slices.Equal(names, want) {
			t.Errorf("%d classes: parameters %v, want %v", classes, names, want)
		}
		head, _ := tensor.Data[float32](n.Params[3].Data)
		if kept := head[0] == -2 && head[4] == 2; kept != (classes == 5) {
			t.Errorf("%d classes: the second layer's weights are kept: %v", classes, kept)
		}
	}
	same := func(b *onnx.Builder, low, _ *onnx.Value) *onnx.Value { return b.Add(low, low) }
	if _, err := FineTune(build(same), 5, 8, 8); err == nil || !strings.Contains(err.Error(), "no Conv or Gemm") {
		t.Errorf("one layer twice: %v", err)
	}
}
