package onnx

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

func TestInferErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		build func(b *Builder, x *Value)
		want  string
	}{
		{"channels must match", func(b *Builder, x *Value) {
			b.Conv(x, b.Const("w", tensor.Of([]int64{2, 4, 1, 1}, make([]float32, 8))), nil, ConvAttrs{})
		}, `Conv "Conv_1": input [-2,3,8,8] has not the channels of weight [2,4,1,1]`},
		{"the kernel must fit", func(b *Builder, x *Value) {
			b.Conv(x, b.Const("w", tensor.Of([]int64{1, 3, 9, 9}, make([]float32, 243))), nil, ConvAttrs{})
		}, "does not fit"},
		{"sizes must broadcast", func(b *Builder, x *Value) {
			b.Add(x, b.Const("w", tensor.Vector[float32](1, 2, 3)))
		}, `Add "Add_1": shapes [[-2,3,8,8] [3]] do not broadcast`},
		{"types must match", func(b *Builder, x *Value) {
			b.Add(x, b.Int(1))
		}, "inputs are of types float32 and int64"},
		{"elements are not lost", func(b *Builder, x *Value) {
			b.Reshape(b.Reshape(x, -1, 3, 64), 0, 5, -1)
		}, "do not divide"},
		{"a permutation names every axis", func(b *Builder, x *Value) {
			b.Transpose(x, 0, 1, 1, 3)
		}, "no permutation"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := NewBuilder("net")
			tt.build(b, b.Input("x", tensor.Float32, Shape{b.Dim("N"), 3, 8, 8}))
			if err := b.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestInferReshapeCancelsSymbols(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	n := b.Dim("N")
	x := b.Input("x", tensor.Float32, Shape{n, 3, 8, 8})
	for _, tt := range []struct {
		target []int64
		want   Shape
	}{
		{[]int64{-1, 192}, Shape{n, 192}},
		{[]int64{0, -1}, Shape{n, 192}},
		{[]int64{0, 3, -1}, Shape{n, 3, 64}},
		{[]int64{-1}, Shape{Unknown}},
		{[]int64{-1, 96}, Shape{Unknown, 96}},
	} {
		if d := cmp.Diff(tt.want, b.Reshape(x, tt.target...).Shape); d != "" {
			t.Errorf("Reshape to %v (-want +got):\n%s", tt.target, d)
		}
	}
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
}
