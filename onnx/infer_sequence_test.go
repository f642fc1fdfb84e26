package onnx

import (
	"slices"
	"testing"

	"trilobite/tensor"
)

// TestInferSequenceAt: the pieces of x (3, 7, 2), as torch.split gives them.
func TestInferSequenceAt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		split    *tensor.Tensor // nil: single elements
		axis     int64
		keep     int64
		position int64
		want     Shape
	}{
		{"of one size", tensor.Scalar[int64](3), 1, 1, 0, Shape{3, 3, 2}},
		{"the last one is what is left", tensor.Scalar[int64](3), 1, 1, 2, Shape{3, 1, 2}},
		{"counted from the end", tensor.Scalar[int64](3), -2, 1, -1, Shape{3, 1, 2}},
		{"of sizes", tensor.Vector[int64](2, 5), 1, 1, 1, Shape{3, 5, 2}},
		{"single elements", nil, 1, 1, 6, Shape{3, 1, 2}},
		{"single elements without the axis", nil, 0, 0, -3, Shape{7, 2}},
		{"there is none", tensor.Scalar[int64](3), 1, 1, 3, nil},
		{"sizes beyond the axis", tensor.Vector[int64](2, 9), 1, 1, 1, nil},
		{"no size", tensor.Scalar[int64](0), 1, 1, 0, nil},
		{"another axis", tensor.Scalar[int64](1), 5, 1, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := NewBuilder("test")
			in := []*Value{b.Input("x", tensor.Float32, Shape{3, 7, 2})}
			if tt.split != nil {
				in = append(in, b.Const("", tt.split))
			}
			s := b.Op("SplitToSequence", in, map[string]any{"axis": tt.axis, "keepdims": tt.keep}, 1)[0]
			y := b.Op("SequenceAt", []*Value{s, b.Int(tt.position)}, nil, 1)[0]
			if !slices.Equal(y.Shape, tt.want) || (tt.want == nil) != (y.Shape == nil) {
				t.Errorf("got %v, want %v", y.Shape, tt.want)
			}
		})
	}
}
