package detect

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/geom"
)

// TestJoin has two parts of an image of 1920×1000 pixels, which overlap from 896 to 1024,
// and, where it says so, the whole image.
func TestJoin(t *testing.T) {
	t.Parallel()
	const far = math.MaxFloat32
	left, right, whole := geom.Box{X1: -far, Y1: -far, X2: 1024, Y2: far}, geom.Box{X1: 896, Y1: -far, X2: far, Y2: far}, geom.Box{X1: -far, Y1: -far, X2: far, Y2: far}
	of := func(class int, score, x1, y1, x2, y2 float32) trilobite.Detection {
		return trilobite.Detection{Class: class, Score: score, Box: geom.Box{X1: x1, Y1: y1, X2: x2, Y2: y2}}
	}
	tests := []struct {
		name  string
		parts []part
		want  []trilobite.Detection
	}{
		{"far from each other", []part{
			{[]trilobite.Detection{of(0, 0.9, 10, 10, 50, 50)}, left}, {[]trilobite.Detection{of(0, 0.8, 1500, 10, 1550, 50)}, right},
		}, []trilobite.Detection{of(0, 0.9, 10, 10, 50, 50), of(0, 0.8, 1500, 10, 1550, 50)}},
		{"seen twice in the overlap", []part{
			{[]trilobite.Detection{of(0, 0.7, 910, 10, 1000, 100)}, left}, {[]trilobite.Detection{of(0, 0.8, 912, 10, 1000, 101)}, right},
		}, []trilobite.Detection{of(0, 0.8, 912, 10, 1000, 101)}},
		{"two classes in one place", []part{
			{[]trilobite.Detection{of(0, 0.7, 910, 10, 1000, 100)}, left}, {[]trilobite.Detection{of(1, 0.8, 912, 10, 1000, 101)}, right},
		}, []trilobite.Detection{of(1, 0.8, 912, 10, 1000, 101), of(0, 0.7, 910, 10, 1000, 100)}},
		{"cut in one part, whole in the other, which is less sure", []part{
			{[]trilobite.Detection{of(0, 0.9, 950, 10, 1023, 100)}, left}, {[]trilobite.Detection{of(0, 0.6, 949, 11, 1200, 102)}, right},
		}, []trilobite.Detection{of(0, 0.9, 949, 11, 1200, 102)}},
		{"longer than the overlap: both see a part", []part{
			{[]trilobite.Detection{of(0, 0.9, 300, 10, 1024, 400)}, left}, {[]trilobite.Detection{of(0, 0.8, 896, 12, 1500, 402)}, right},
		}, []trilobite.Detection{of(0, 0.9, 300, 10, 1500, 402)}},
		{"two that end at the same edge, one above the other", []part{
			{[]trilobite.Detection{of(0, 0.9, 300, 10, 1024, 100)}, left}, {[]trilobite.Detection{of(0, 0.8, 896, 200, 1500, 300)}, right},
		}, []trilobite.Detection{of(0, 0.9, 300, 10, 1024, 100), of(0, 0.8, 896, 200, 1500, 300)}},
		{"neighbours of one part stay two", []part{
			{[]trilobite.Detection{of(0, 0.9, 900, 10, 1024, 100), of(0, 0.8, 905, 40, 1024, 130)}, left}, {nil, right},
		}, []trilobite.Detection{of(0, 0.9, 900, 10, 1024, 100), of(0, 0.8, 905, 40, 1024, 130)}},
		{"the whole image knows how long it is", []part{
			{[]trilobite.Detection{of(0, 0.9, 300, 10, 1024, 400)}, left}, {[]trilobite.Detection{of(0, 0.8, 896, 12, 1500, 402)}, right},
			{[]trilobite.Detection{of(0, 0.5, 296, 9, 1511, 404)}, whole},
		}, []trilobite.Detection{of(0, 0.9, 296, 9, 1511, 404)}},
		{"no more than the best", []part{
			{[]trilobite.Detection{of(0, 0.9, 10, 10, 50, 50), of(0, 0.3, 100, 10, 150, 50)}, left}, {[]trilobite.Detection{of(0, 0.8, 1500, 10, 1550, 50), of(0, 0.7, 1700, 10, 1750, 50)}, right},
		}, []trilobite.Detection{of(0, 0.9, 10, 10, 50, 50), of(0, 0.8, 1500, 10, 1550, 50), of(0, 0.7, 1700, 10, 1750, 50)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, join(tt.parts, 0.6, 3)); diff != "" {
				t.Errorf("join (-want +got):\n%s", diff)
			}
		})
	}
}
