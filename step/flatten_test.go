package step

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

func TestFlattenScaled(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		shape onnx.Shape
		want  int // nodes afterwards
	}{
		{"a last axis of 1 is flattened", onnx.Shape{3, 2, 1, 1}, 6},
		{"another last axis stays", onnx.Shape{3, 1, 2}, 2},
		{"one element stays", onnx.Shape{1, 1}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("test")
			x := b.Input("x", tensor.Float32, tt.shape)
			b.Output("y", b.Div(b.Scalar(tensor.Float32, 3), b.Add(x, b.Const("", tensor.Vector[float32](0.5)))))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			list := make([]float32, tensor.Size(tt.shape))
			for i := range list {
				list[i] = float32(i)
			}
			run := func() *tensor.Tensor {
				out, err := orttest.Load(t, g).Run(t.Context(), []*tensor.Tensor{tensor.Of(tt.shape, list)})
				if err != nil {
					t.Fatal(err)
				}
				return out[0]
			}
			want := run()
			if err := flattenScaled(g); err != nil {
				t.Fatal(err)
			}
			if len(g.Nodes) != tt.want {
				t.Errorf("%d nodes, want %d", len(g.Nodes), tt.want)
			}
			got := run()
			if diff := cmp.Diff(want.Raw(), got.Raw()); diff != "" || !cmp.Equal(want.Shape, got.Shape) {
				t.Errorf("the result changed: %v %v\n%s", want.Shape, got.Shape, diff)
			}
		})
	}
}
