package imageio

// #include "flow.h"
import "C"

// Turn says how a picture is turned: x and y are exchanged first, then left and right, then
// top and bottom.
type Turn struct{ Transpose, Mirror, Flip bool }

// upright are the turns that EXIF orientations ask for (CIPA DC-008, tag 0x0112), 1 to 8.
// At 6, say, the top of the picture is at the right of the file: it is turned clockwise.
var upright = [...]Turn{
	2: {Mirror: true}, 3: {Mirror: true, Flip: true}, 4: {Flip: true},
	5: {Transpose: true}, 6: {Transpose: true, Mirror: true}, 7: {Transpose: true, Mirror: true, Flip: true}, 8: {Transpose: true, Flip: true},
}

// turned returns m turned, in new memory; m itself where there is nothing to do.
func (m *Image) turned(t Turn) *Image {
	if t == (Turn{}) {
		return m
	}
	out := New(t.size(m.W, m.H))
	all := C.VipsRect{width: C.int(m.W), height: C.int(m.H)}
	C.tl_turn(u8(m.Pix), C.size_t(3*m.W), &all, all.width, all.height, t.how(), u8(out.Pix))
	return out
}

// size returns the size of a turned image of w×h pixels.
func (t Turn) size(w, h int) (int, int) {
	if t.Transpose {
		return h, w
	}
	return w, h
}

// how is the turn as C counts it.
func (t Turn) how() (how C.int) {
	for _, do := range []struct {
		it  bool
		bit C.int
	}{{t.Transpose, C.TL_TRANSPOSE}, {t.Mirror, C.TL_MIRROR}, {t.Flip, C.TL_FLIP}} {
		if do.it {
			how |= do.bit
		}
	}
	return how
}
