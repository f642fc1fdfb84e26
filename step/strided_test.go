package step

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// Whole numbers, so that the products are exact.
func TestSpellStrided(t *testing.T) {
	t.Parallel()
	s := func(list ...int64) []int64 { return list }
	tests := []struct {
		name  string
		x, w  onnx.Shape // w of the depthwise Conv
		bias  bool
		conv  onnx.ConvAttrs
		twice bool    // the depthwise Conv's input is read by another node
		left  []int64 // strides afterwards
	}{
		{"pads at the end", onnx.Shape{2, 2, 8, 6}, onnx.Shape{4, 1, 3, 3}, false, onnx.ConvAttrs{Strides: s(2, 2), Pads: s(0, 0, 1, 1)}, false, s(1, 1)},
		{"pads at both sides, a bias", onnx.Shape{1, 2, 8, 12}, onnx.Shape{3, 1, 5, 5}, true, onnx.ConvAttrs{Strides: s(2, 2), Pads: s(2, 2, 2, 2)}, false, s(1, 1)},
		{"strides that differ", onnx.Shape{2, 3, 9, 8}, onnx.Shape{3, 1, 2, 4}, false, onnx.ConvAttrs{Strides: s(3, 1), Pads: s(1, 2, 0, 1)}, false, s(1, 1)},
		{"rows that are not read", onnx.Shape{1, 2, 9, 9}, onnx.Shape{2, 1, 2, 2}, false, onnx.ConvAttrs{Strides: s(3, 3)}, false, s(1, 1)},
		{"a size that the stride does not divide stays", onnx.Shape{1, 2, 9, 8}, onnx.Shape{2, 1, 3, 3}, false, onnx.ConvAttrs{Strides: s(2, 2), Pads: s(1, 1, 1, 1)}, false, s(2, 2)},
		{"dilations stay", onnx.Shape{1, 2, 8, 8}, onnx.Shape{2, 1, 3, 3}, false, onnx.ConvAttrs{Strides: s(2, 2), Dilations: s(2, 2), Pads: s(2, 2, 2, 2)}, false, s(2, 2)},
		{"a wider map before stays", onnx.Shape{1, 3, 8, 8}, onnx.Shape{2, 1, 3, 3}, false, onnx.ConvAttrs{Strides: s(2, 2), Pads: s(1, 1, 1, 1)}, false, s(2, 2)},
		{"an input that is read twice stays", onnx.Shape{1, 2, 8, 8}, onnx.Shape{2, 1, 3, 3}, false, onnx.ConvAttrs{Strides: s(2, 2), Pads: s(1, 1, 1, 1)}, true, s(2, 2)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("test")
			m := tt.w[0]
			tt.conv.Group = m
			input := func(name string, shape onnx.Shape) *onnx.Value { return b.Input(name, tensor.Float32, shape) }
			expand, scale := onnx.Shape{m, tt.x[1], 1, 1}, onnx.Shape{m}
			y := b.Conv(input("x", tt.x), input("expand", expand), nil, onnx.ConvAttrs{})
			zeros, ones := b.Const("", tensor.Of(scale, make([]float32, m))), b.Const("", whole(onnx.Shape{m}))
			y = b.Relu(b.BatchNormalization(y, input("scale", scale), ones, zeros, b.ExpandTo(b.Scalar(tensor.Float32, 1), b.Ints(m)), 0))
			var bias *onnx.Value
			if tt.bias {
				bias = input("bias", scale)
			}
			b.Output("y", b.Conv(y, input("w", tt.w), bias, tt.conv))
			if tt.twice {
				b.Output("sum", b.ReduceSum(y))
			}
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			run := func() *tensor.Tensor {
				in := make([]*tensor.Tensor, len(g.Inputs))
				for i, v := range g.Inputs {
					in[i] = whole(v.Shape)
				}
				out, err := orttest.Load(t, g).Run(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				return out[0]
			}
			want := run()
			if err := spellStrided(g); err != nil {
				t.Fatal(err)
			}
			if err := onnx.Check(g); err != nil {
				t.Fatal(err)
			}
			for _, n := range g.Nodes {
				if n.Op != "Conv" || n.Conv().Group != m {
					continue
				}
				if diff := cmp.Diff(tt.left, n.Conv().Strides); diff != "" {
					t.Errorf("strides (-want +got):\n%s", diff)
				}
			}
			got := run()
			if diff := cmp.Diff(want.Raw(), got.Raw()); diff != "" || !cmp.Equal(want.Shape, got.Shape) {
				t.Errorf("the result changed: %v %v\n%s", want.Shape, got.Shape, diff)
			}
		})
	}
}
