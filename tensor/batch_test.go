package tensor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJoinAndRow(t *testing.T) {
	t.Parallel()
	a := Of([]int64{1, 2}, []float32{1, 2})
	b := Of([]int64{2, 2}, []float32{3, 4, 5, 6})
	all, err := Join(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{3, 2}, all.Shape); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
	row := all.Row(2)
	if diff := cmp.Diff([]float32{5, 6}, row.Raw()); diff != "" {
		t.Errorf("row 2 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{1, 2}, row.Shape); diff != "" {
		t.Errorf("shape of row 2 (-want +got):\n%s", diff)
	}
}

func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []*Tensor
	}{
		{"nothing", nil},
		{"scalars have no first axis", []*Tensor{Scalar[float32](1), Scalar[float32](2)}},
		{"types differ", []*Tensor{Vector[float32](1), Vector[int64](1)}},
		{"row shapes differ", []*Tensor{Of([]int64{1, 2}, []float32{1, 2}), Of([]int64{2, 1}, []float32{1, 2})}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := Join(tt.in...); err == nil {
				t.Errorf("Join = %v, want an error", got)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for d := range names {
		got, err := New(d, []int64{2, 3})
		if d == String {
			if err == nil {
				t.Error("New(string) gave zeros")
			}
			continue
		}
		if err != nil || got.DType != d || got.Len() != 6 {
			t.Errorf("New(%s) = %v, %v", d, got, err)
		}
	}
	if _, err := New(Float32, []int64{-1}); err == nil {
		t.Error("New with an unknown dimension gave a tensor")
	}
}
