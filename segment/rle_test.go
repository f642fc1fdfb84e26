package segment

import (
	"math/rand/v2"
	"slices"
	"testing"

	"trilobite/geom"
)

// TestRLE fills a mask from its run lengths: geom.RLE is held to pycocotools' own.
func TestRLE(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{1, 1}, {7, 5}, {64, 33}} {
		m := &Mask{W: size[0], H: size[1], Labels: letters(4), Class: make([]uint8, size[0]*size[1])}
		for i := range m.Class {
			m.Class[i] = uint8(r.IntN(3)) // the last is never there
		}
		got := slices.Repeat([]uint8{9}, len(m.Class))
		for c, rle := range m.RLE() {
			if rle == nil {
				if slices.Contains(m.Class, uint8(c)) {
					t.Errorf("%v: class %d has no runs", size, c)
				}
				continue
			}
			whole, err := geom.NewRLE(m.W, m.H, rle.Runs)
			if err != nil {
				t.Fatal(err)
			}
			whole.Fill(got, uint8(c))
		}
		if !slices.Equal(got, m.Class) {
			t.Errorf("%v: %v, want %v", size, got, m.Class)
		}
	}
}
