package step

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// Whole numbers, so that the products are exact.
func TestSpellDepthwise(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		x, w onnx.Shape
		bias bool
		conv onnx.ConvAttrs
		left int // convolutions afterwards; below 0: the same number, rows laid out
	}{
		{"few rows are channels", onnx.Shape{2, 3, 9, 10}, onnx.Shape{3, 1, 3, 3}, true, onnx.ConvAttrs{Group: 3, Pads: []int64{1, 1, 1, 1}}, -1},
		{
			"few rows, strides, dilations and pads of one side", onnx.Shape{2, 2, 9, 11}, onnx.Shape{2, 1, 3, 2}, false,
			onnx.ConvAttrs{Group: 2, Strides: []int64{2, 3}, Dilations: []int64{2, 1}, Pads: []int64{0, 3, 1, 0}}, -1,
		},
		{"same size", onnx.Shape{2, 3, 5, 4}, onnx.Shape{3, 1, 3, 3}, false, onnx.ConvAttrs{Group: 3, Pads: []int64{1, 1, 1, 1}}, 0},
		{"a bias is added", onnx.Shape{2, 3, 4, 4}, onnx.Shape{3, 1, 3, 2}, true, onnx.ConvAttrs{Group: 3}, 0},
		{
			"strides, dilations and pads of one side", onnx.Shape{2, 2, 6, 7}, onnx.Shape{2, 1, 2, 3}, false,
			onnx.ConvAttrs{Group: 2, Strides: []int64{2, 1}, Dilations: []int64{1, 2}, Pads: []int64{0, 3, 1, 0}}, 0,
		},
		{"several outputs of a channel stay", onnx.Shape{1, 2, 4, 4}, onnx.Shape{4, 1, 3, 3}, false, onnx.ConvAttrs{Group: 2}, 1},
		{"large maps stay", onnx.Shape{1, 2, 14, 14}, onnx.Shape{2, 1, 3, 3}, false, onnx.ConvAttrs{Group: 2}, 1},
		{"all channels together stay", onnx.Shape{1, 2, 4, 4}, onnx.Shape{2, 2, 3, 3}, false, onnx.ConvAttrs{}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, run := convolution(t, tt.x, tt.w, tt.bias, tt.conv)
			want := run()
			rewrite := spellDepthwise
			if tt.left < 0 {
				rewrite = layRows
			}
			if err := rewrite(g); err != nil {
				t.Fatal(err)
			}
			count := 0
			for _, n := range g.Nodes {
				switch {
				case n.Op == "Conv" && tt.left < 0 && n.In[0].Shape[0] == 1 && n.In[0].Shape[1] == tt.x[1]*tt.x[2]:
					count--
				case n.Op == "Conv":
					count++
				}
			}
			if count != tt.left {
				t.Errorf("%d convolutions, want %d", count, tt.left)
			}
			got := run()
			if diff := cmp.Diff(want.Raw(), got.Raw()); diff != "" || !cmp.Equal(want.Shape, got.Shape) {
				t.Errorf("the result changed: %v %v\n%s", want.Shape, got.Shape, diff)
			}
		})
	}
}

// convolution is a graph of one Conv, and a run of it as it stands then.
func convolution(t *testing.T, x, w onnx.Shape, biased bool, attrs onnx.ConvAttrs) (*onnx.Graph, func() *tensor.Tensor) {
	t.Helper()
	b := onnx.NewBuilder("test")
	var bias *onnx.Value
	if biased {
		bias = b.Const("", whole(onnx.Shape{w[0]}))
	}
	b.Output("y", b.Conv(b.Input("x", tensor.Float32, x), b.Input("w", tensor.Float32, w), bias, attrs))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, func() *tensor.Tensor {
		out, err := orttest.Load(t, g).Run(t.Context(), []*tensor.Tensor{whole(x), whole(w)})
		if err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
}

// whole is a tensor of small whole numbers.
func whole(shape onnx.Shape) *tensor.Tensor {
	list := make([]float32, tensor.Size(shape))
	for i := range list {
		list[i] = float32(i*5%7) - 3
	}
	return tensor.Of(shape, list)
}
