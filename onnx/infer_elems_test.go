package onnx

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

// shapeChains are the ways in which exporters spell shapes as graphs.
func TestInferShapeChains(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	n := b.Dim("N")
	x := b.Input("x", tensor.Float32, Shape{n, 3, 8, Unknown})
	dim := func(i int64) *Value { return b.Gather(b.Shape(x), b.Int(i), 0) }
	part := func(i, j int64) *Value {
		return b.Slice(b.Shape(x), []int64{0}, []int64{i}, []int64{j})
	}
	tests := []struct {
		name string
		got  *Value
		want Shape
	}{
		{"flatten for the classifier", b.ReshapeTo(x, b.Concat(0, b.Unsqueeze(dim(0), 0), b.Ints(-1))), Shape{n, Unknown}},
		{"a part of a shape and new sizes", b.ReshapeTo(x, b.Concat(0, part(0, 2), b.Ints(-1))), Shape{n, 3, Unknown}},
		{"the batch by Slice and Squeeze", b.ReshapeTo(x, b.Concat(0, b.Unsqueeze(b.Squeeze(part(0, 1)), 0), b.Ints(24, -1))), Shape{n, 24, Unknown}},
		{"products of sizes", b.ReshapeTo(x, b.Concat(0, part(0, 1), b.Unsqueeze(b.Mul(dim(1), dim(2)), 0), b.Ints(-1))), Shape{n, 24, Unknown}},
		{"an unknown dimension is the one that is left", b.ReshapeTo(x, b.Concat(0, part(0, 1), part(3, 4), b.Ints(24))), Shape{n, Unknown, 24}},
		{"filled with a constant", b.ConstantOfShape(b.Shape(x), nil), Shape{n, 3, 8, Unknown}},
		{"expand with -1 for what stays", b.ExpandTo(b.Const("e", tensor.Of([]int64{1, 3, 1, 1}, make([]float32, 3))),
			b.Where(b.Equal(b.Shape(x), b.Ints(-1, -1, -1, -1)), b.Ints(1, 1, 1, 1), b.Shape(x))), Shape{n, 3, 8, Unknown}},
		{"count to the batch", b.Range(b.Int(0), dim(0), b.Int(1)), Shape{n}},
		{"a shift from the end", b.ReshapeTo(x, b.Concat(0, part(0, 1), b.Unsqueeze(b.Mod(b.Int(-1), dim(2)), 0), b.Ints(-1))), Shape{n, 7, Unknown}},
		{"halves", b.ReshapeTo(x, b.Concat(0, part(0, 1), b.Unsqueeze(b.Div(dim(2), b.Int(2)), 0), b.Ints(6, -1))), Shape{n, 4, 6, Unknown}},
	}
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, tt.got.Shape); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{b.Dim("N"), 3, b.Dim("H"), 8})
	w := b.Const("w", tensor.Of([]int64{4, 3, 3, 3}, make([]float32, 108)))
	y := b.Output("y", b.Conv(x, w, nil, ConvAttrs{Strides: []int64{2, 2}, Pads: []int64{1, 1, 1, 1}}))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := Bind(g, map[string]int64{"H": 9}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Shape{b.Dim("N"), 4, 5, 4}, y.Shape); d != "" {
		t.Errorf("with H (-want +got):\n%s", d)
	}
	if err := Bind(g, map[string]int64{"N": 2}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Shape{2, 4, 5, 4}, y.Shape); d != "" {
		t.Errorf("with N (-want +got):\n%s", d)
	}
	if err := Bind(g, map[string]int64{"M": 2}); err == nil || !strings.Contains(err.Error(), `binding "M"`) {
		t.Errorf("unknown symbol: got %v", err)
	}
	if err := Bind(g, map[string]int64{"N": 0}); err == nil {
		t.Error("an empty batch was bound")
	}
}
