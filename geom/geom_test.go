package geom

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIoU(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a, b Box
		want float32
	}{
		{"half shifted", Box{0, 0, 2, 2}, Box{1, 0, 3, 2}, 1.0 / 3},
		{"touching edges share nothing", Box{0, 0, 2, 2}, Box{2, 0, 4, 2}, 0},
		{"empty box is not NaN", Box{1, 1, 1, 1}, Box{1, 1, 1, 1}, 0},
		{"inverted box has no area", Box{2, 2, 0, 0}, Box{0, 0, 2, 2}, 0},
		{"inside", Box{0, 0, 4, 4}, Box{1, 1, 3, 3}, 0.25},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := IoU(tt.a, tt.b); got != tt.want {
				t.Errorf("IoU(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

func TestNMS(t *testing.T) {
	t.Parallel()
	boxes := []Box{{0, 0, 10, 10}, {1, 0, 11, 10}, {20, 0, 30, 10}, {0, 0, 10, 10}}
	tests := []struct {
		name   string
		scores []float32
		iou    float32
		want   []int
	}{
		{"best of an overlapping pair stays", []float32{0.5, 0.9, 0.1, 0.2}, 0.6, []int{1, 2}},
		{"a tie goes to the first", []float32{0.5, 0.5, 0.5, 0.5}, 0.6, []int{0, 2}},
		{"IoU equal to the limit is kept", []float32{0.9, 0.1, 0.1, 0.8}, 1, []int{0, 3, 1, 2}},
		{"none", nil, 0.5, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := NMS(boxes[:len(tt.scores)], tt.scores, tt.iou)
			if diff := cmp.Diff(tt.want, got); diff != "" && len(got)+len(tt.want) > 0 {
				t.Errorf("NMS (-want +got):\n%s", diff)
			}
		})
	}
}
