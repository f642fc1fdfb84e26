package step

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Whole numbers, so that the products are exact.
func TestSpellTaps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		x, w onnx.Shape
		bias bool
		conv onnx.ConvAttrs
		left []int64 // outer positions of the kernels afterwards, a number for each Conv
	}{
		{
			"the middle tap alone meets the map", onnx.Shape{2, 3, 4, 5}, onnx.Shape{2, 3, 3, 3}, false,
			onnx.ConvAttrs{Dilations: []int64{6, 6}, Pads: []int64{6, 6, 6, 6}}, []int64{1},
		},
		{
			"taps that meet an edge; a bias is added", onnx.Shape{1, 2, 5, 4}, onnx.Shape{3, 2, 3, 3}, true,
			onnx.ConvAttrs{Dilations: []int64{4, 3}, Pads: []int64{4, 3, 4, 3}}, slices.Repeat([]int64{1}, 9),
		},
		{
			"strides and pads of one side", onnx.Shape{2, 2, 5, 6}, onnx.Shape{1, 2, 2, 3}, false,
			onnx.ConvAttrs{Dilations: []int64{1, 4}, Strides: []int64{1, 2}, Pads: []int64{0, 7, 0, 2}}, slices.Repeat([]int64{1}, 4),
		},
		{"one axis", onnx.Shape{2, 2, 3}, onnx.Shape{1, 2, 5}, false, onnx.ConvAttrs{Pads: []int64{4, 0}}, slices.Repeat([]int64{1}, 3)},
		{"most taps meet the map", onnx.Shape{1, 2, 4, 4}, onnx.Shape{2, 2, 3, 3}, false, onnx.ConvAttrs{Pads: []int64{1, 1, 1, 1}}, []int64{9}},
		{"groups stay", onnx.Shape{1, 2, 2, 2}, onnx.Shape{2, 1, 3, 3}, false, onnx.ConvAttrs{Group: 2, Pads: []int64{2, 2, 2, 2}}, []int64{9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, run := convolution(t, tt.x, tt.w, tt.bias, tt.conv)
			want := run()
			if err := spellTaps(g); err != nil {
				t.Fatal(err)
			}
			var left []int64
			for _, n := range g.Nodes {
				if n.Op == "Conv" {
					left = append(left, tensor.Size(n.In[1].Shape[2:]))
				}
			}
			if diff := cmp.Diff(tt.left, left); diff != "" {
				t.Errorf("kernels (-want +got):\n%s", diff)
			}
			got := run()
			if diff := cmp.Diff(want.Raw(), got.Raw()); diff != "" || !cmp.Equal(want.Shape, got.Shape) {
				t.Errorf("the result changed: %v %v\n%s", want.Shape, got.Shape, diff)
			}
		})
	}
}
