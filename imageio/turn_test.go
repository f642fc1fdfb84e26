package imageio

import (
	"fmt"
	"testing"
)

// TestUpright checks orientations by their definition (CIPA DC-008, table of tag 0x0112):
// where in the stored picture the upper left pixel, its right neighbour and that below lie.
func TestUpright(t *testing.T) {
	t.Parallel()
	const w, h = 70, 45 // no multiples of the blocks that are copied
	stored := New(w, h)
	for i := range stored.Pix {
		stored.Pix[i] = uint8(i*31 + i/7)
	}
	// The 0th row and the 0th column of the stored picture are these sides of the upright one.
	for orientation, sides := range map[int][2]string{
		1: {"top", "left"}, 2: {"top", "right"}, 3: {"bottom", "right"}, 4: {"bottom", "left"},
		5: {"left", "top"}, 6: {"right", "top"}, 7: {"right", "bottom"}, 8: {"left", "bottom"},
	} {
		t.Run(fmt.Sprint(orientation), func(t *testing.T) {
			t.Parallel()
			m := stored.turned(upright[orientation])
			for y := range h {
				for x := range w {
					u, v := 0, 0
					for _, side := range []struct {
						name string
						far  int // from it
					}{{sides[0], y}, {sides[1], x}} {
						switch side.name {
						case "top":
							v = side.far
						case "bottom":
							v = m.H - 1 - side.far
						case "left":
							u = side.far
						case "right":
							u = m.W - 1 - side.far
						}
					}
					gr, gg, gb := m.At(u, v)
					if r, g, b := stored.At(x, y); r != gr || g != gg || b != gb {
						t.Fatalf("%d×%d: pixel %d, %d is %d, %d, %d, want that of %d, %d", m.W, m.H, u, v, gr, gg, gb, x, y)
					}
				}
			}
		})
	}
}
