package orttest

import (
	"math"
	"slices"
	"testing"

	"trilobite/tensor"
)

// Numbers returns the elements of a float32 or float64 tensor; of float64 not a copy.
func Numbers(v *tensor.Tensor) []float64 {
	if d, ok := tensor.Data[float64](v); ok {
		return d
	}
	d, _ := tensor.Data[float32](v)
	list := make([]float64, len(d))
	for i, x := range d {
		list[i] = float64(x)
	}
	return list
}

// OfType returns a tensor of numbers in float64, or rounded to float32.
func OfType(dtype tensor.DType, shape []int64, list []float64) *tensor.Tensor {
	if dtype == tensor.Float64 {
		return tensor.Of(shape, list)
	}
	d := make([]float32, len(list))
	for i, x := range list {
		d[i] = float32(x)
	}
	return tensor.Of(shape, d)
}

// Near fails the test unless got has want's shape and its elements, each to a tolerance
// relative to want's, or to floor where that is more.
func Near(t testing.TB, what string, got, want *tensor.Tensor, tolerance, floor float64) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("%s is %v, want %v", what, got.Shape, want.Shape)
	}
	g := Numbers(got)
	for i, w := range Numbers(want) {
		if !(math.Abs(g[i]-w) <= tolerance*max(floor, math.Abs(w))) {
			t.Fatalf("%s[%d] = %v, want %v", what, i, g[i], w)
		}
	}
}
