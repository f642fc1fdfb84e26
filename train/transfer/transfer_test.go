package transfer

import (
	"testing"

	"trilobite/dataset"
	"trilobite/pipeline"
)

func TestSpecOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                string
		w, h, width, height int
	}{
		{"4:3", 480, 360, 384, 288},
		{"square", 100, 100, 320, 320},
		{"upright", 3024, 4032, 288, 384},
		{"a panorama", 10000, 100, 672, 160},
		{"unknown", 0, 0, 384, 288},
	}
	for _, tt := range tests {
		s := SpecOf(&dataset.Set{Images: []dataset.Image{{W: tt.w, H: tt.h}}}, pipeline.Spec{Resize: pipeline.CentreCrop, Crop: 0.9, Mean: []float32{1}})
		if s.Width != tt.width || s.Height != tt.height || s.Resize != pipeline.Exact || s.Crop != 0 || s.Mean[0] != 1 {
			t.Errorf("%s: got %+v, want %d×%d", tt.name, s, tt.width, tt.height)
		}
	}
}
