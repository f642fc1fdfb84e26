package step

import (
	"math"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

func TestSpellLogSoftmax(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		axis int64
		want int // nodes afterwards
	}{
		{"over channels is spelt out", 1, 6},
		{"counted from the end too", -3, 6},
		{"the last axis stays", 3, 1},
		{"the last axis, counted from the end, stays", -1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("test")
			x := b.Input("x", tensor.Float32, onnx.Shape{2, 3, 2, 2})
			b.Output("y", b.LogSoftmax(x, tt.axis))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			list := make([]float32, 24)
			for i := range list {
				list[i] = float32((i*7)%24)*10 - 100 // exp of either end is no float32
			}
			run := func() []float32 {
				out, err := orttest.Load(t, g).Run(t.Context(), []*tensor.Tensor{tensor.Of([]int64{2, 3, 2, 2}, list)})
				if err != nil {
					t.Fatal(err)
				}
				d, _ := tensor.Data[float32](out[0])
				return d
			}
			want := run()
			if err := spellLogSoftmax(g); err != nil {
				t.Fatal(err)
			}
			if len(g.Nodes) != tt.want {
				t.Errorf("%d nodes, want %d", len(g.Nodes), tt.want)
			}
			for i, got := range run() {
				if d := math.Abs(float64(got - want[i])); !(d <= 1e-6*max(1, math.Abs(float64(want[i])))) {
					t.Errorf("element %d is %v, was %v", i, got, want[i])
				}
			}
		})
	}
}

// TestOptimiseWithoutFirstOutput has a GRU of which only the last state is read, as
// PyTorch's exporter writes one.
func TestOptimiseWithoutFirstOutput(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("test")
	in := []*onnx.Value{b.Input("x", tensor.Float32, onnx.Shape{5, 2, 3}), b.Input("w", tensor.Float32, onnx.Shape{1, 12, 3}), b.Input("r", tensor.Float32, onnx.Shape{1, 12, 4})}
	out := b.Op("GRU", in, map[string]any{"hidden_size": int64(4)}, 2)
	out[1].Node.Out[0] = nil
	b.Output("y", b.Relu(out[1]))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := optimise(g); err != nil {
		t.Error(err)
	}
}
