package imageio

import (
	"math"
	"testing"
)

// TestClassColors holds the table to distances in OKLab, also as colour-blind people see
// it. 0.02 is about the least difference that is seen side by side.
func TestClassColors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		classes int
		least   float64
	}{{7, 0.075}, {12, 0.075}, {21, 0.06}, {91, 0.018}} {
		least, a, b := math.Inf(1), 0, 0
		for i := range tt.classes {
			for j := range i {
				if d := apart(seenAs(ClassColor(i)), seenAs(ClassColor(j))); d < least {
					least, a, b = d, i, j
				}
			}
		}
		if least < tt.least {
			t.Errorf("%d classes: %d %v and %d %v are %.3f apart, want %v", tt.classes, a, ClassColor(a), b, ClassColor(b), least, tt.least)
		}
	}
	if ClassColor(-1) != ClassColor(255) || ClassColor(256) != ClassColor(0) {
		t.Error("class numbers do not wrap")
	}
}

// TestOKLab compares with the values in Ottosson's article, and sRGB's white.
func TestOKLab(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ rgb, want [3]float64 }{
		{[3]float64{1, 1, 1}, [3]float64{1, 0, 0}},
		{[3]float64{0, 0, 0}, [3]float64{0, 0, 0}},
		{linear([3]uint8{255, 0, 0}), [3]float64{0.628, 0.225, 0.126}}, // CSS Color 4
	} {
		got := oklab(tt.rgb)
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 1e-3 {
				t.Errorf("oklab(%v) = %v, want %v", tt.rgb, got, tt.want)
			}
		}
	}
}
