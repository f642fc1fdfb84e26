package imageio

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"trilobite"
	"trilobite/geom"
	"trilobite/tensor"
)

// TestResizeGoldens compares every filter with the project that defines it. Pillow's
// must be equal; the two-by-two ones are rounded from floating point references, and
// their 11-bit weights may turn a rounding: at most 0.6 away from the unrounded value.
func TestResizeGoldens(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/resize.npz")
	if err != nil {
		t.Fatal(err)
	}
	src := golden(t, arrays["source"])
	for name, want := range arrays {
		filter, size, _ := strings.Cut(name, " ")
		f, err := ParseFilter(filter)
		if err != nil {
			continue // the source
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w, h int
			box := src.Bounds()
			if rest, ok := strings.CutPrefix(size, "box "); ok {
				box, size = geom.Box{X1: 3.5, Y1: 2.25, X2: 30.5, Y2: 21}, rest
			}
			if _, err := fmt.Sscanf(size, "%dx%d", &w, &h); err != nil {
				t.Fatal(err)
			}
			got, err := src.ResizeBox(box, w, h, f)
			if err != nil {
				t.Fatal(err)
			}
			tolerance := 0.0
			if f == BilinearTF || f == BilinearHalfPixel {
				tolerance = 0.6
			}
			if d := farthest(t, got, want); d > tolerance {
				t.Errorf("%s: %v away from the reference, at most %v allowed", name, d, tolerance)
			}
		})
	}
}

// golden makes an image of a uint8 array of shape (H, W, 3).
func golden(t *testing.T, a *tensor.Tensor) *Image {
	t.Helper()
	m := New(int(a.Shape[1]), int(a.Shape[0]))
	pix, ok := tensor.Data[uint8](a)
	if !ok || copy(m.Pix, pix) != len(m.Pix) {
		t.Fatalf("golden of %v %v is not an image", a.DType, a.Shape)
	}
	return m
}

// farthest is the largest difference between m and an array of shape (H, W, 3).
func farthest(t *testing.T, m *Image, want *tensor.Tensor) float64 {
	t.Helper()
	if int64(m.H) != want.Shape[0] || int64(m.W) != want.Shape[1] {
		t.Fatalf("size %dx%d, want %v", m.W, m.H, want.Shape)
	}
	far := 0.0
	if floats, ok := tensor.Data[float32](want); ok {
		for i, v := range floats {
			far = max(far, math.Abs(float64(v)-float64(m.Pix[i])))
		}
		return far
	}
	for i, v := range golden(t, want).Pix {
		far = max(far, math.Abs(float64(v)-float64(m.Pix[i])))
	}
	return far
}

func TestResizeKeepsFlatColour(t *testing.T) {
	t.Parallel()
	src := New(123, 77)
	for i := range src.Pix {
		src.Pix[i] = []uint8{255, 1, 128}[i%3]
	}
	for f := BilinearTF; f <= Lanczos; f++ {
		for _, size := range [][2]int{{1, 1}, {300, 2}, {2, 300}, {122, 78}, {123, 77}} {
			got, err := src.Resize(size[0], size[1], f)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got.Pix {
				if got.Pix[i] != src.Pix[i%3] {
					t.Fatalf("%v to %v: value %d is %d, want %d", f, size, i, got.Pix[i], src.Pix[i%3])
				}
			}
		}
	}
}

func TestResizeRefuses(t *testing.T) {
	t.Parallel()
	m := New(10, 8)
	nan := float32(math.NaN())
	tests := []struct {
		name string
		box  geom.Box
		w, h int
	}{
		{"no width", m.Bounds(), 0, 5},
		{"negative height", m.Bounds(), 5, -1},
		{"product overflows", m.Bounds(), 1 << 20, 1 << 20},
		{"box over the right side", geom.Box{X1: 5, Y1: 0, X2: 10.5, Y2: 8}, 4, 4},
		{"empty box", geom.Box{X1: 5, Y1: 5, X2: 5, Y2: 6}, 4, 4},
		{"box that is no number", geom.Box{X1: nan, Y1: 0, X2: 5, Y2: 6}, 4, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := m.ResizeBox(tt.box, tt.w, tt.h, Bicubic); trilobite.CodeOf(err) != trilobite.Invalid {
				t.Errorf("ResizeBox(%v, %d, %d) = %v, want an Invalid error", tt.box, tt.w, tt.h, err)
			}
		})
	}
}

func TestCrop(t *testing.T) {
	t.Parallel()
	m := New(4, 3)
	for i := range m.Pix {
		m.Pix[i] = uint8(i)
	}
	got, err := m.Crop(1, 2, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, b := got.At(1, 0); got.W != 2 || got.H != 1 || got.FullW != 2 || r != 30 || b != 32 {
		t.Errorf("crop is %dx%d (%d), pixel %d..%d", got.W, got.H, got.FullW, r, b)
	}
	for _, c := range [][4]int{{-1, 0, 2, 2}, {3, 0, 2, 2}, {0, 0, 0, 1}, {0, 1, 1, math.MaxInt}} {
		if _, err := m.Crop(c[0], c[1], c[2], c[3]); trilobite.CodeOf(err) != trilobite.Invalid {
			t.Errorf("Crop(%v) = %v, want an Invalid error", c, err)
		}
	}
}
