package imageio

import (
	"slices"
	"testing"
)

// TestMedian compares with medians by sorting, at edges too, where the picture goes on.
func TestMedian(t *testing.T) {
	t.Parallel()
	const w, h = 37, 23
	m := New(w, h)
	x := uint32(1)
	for i := range m.Pix {
		x = x*1664525 + 1013904223
		m.Pix[i] = uint8(x >> 24)
	}
	for _, size := range []int{3, 5} {
		f, err := m.Flow()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Median(size); err != nil {
			t.Fatal(err)
		}
		got, err := f.Pixels()
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Pix {
			px, py, c := i/3%w, i/3/w, i%3
			var around []uint8
			for y := py - size/2; y <= py+size/2; y++ {
				for x := px - size/2; x <= px+size/2; x++ {
					around = append(around, m.Pix[3*(min(max(y, 0), h-1)*w+min(max(x, 0), w-1))+c])
				}
			}
			slices.Sort(around)
			if want := around[len(around)/2]; got.Pix[i] != want {
				t.Fatalf("%d×%d: channel %d at %d, %d is %d, want %d", size, size, c, px, py, got.Pix[i], want)
			}
		}
	}
}
