package imageio

/*
#include "resample.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"trilobite"
	"trilobite/geom"
)

// Resize returns m at w×h pixels, whatever its aspect ratio. FullW, FullH,
// Orientation and Format stay those of the file.
//
// The antialiasing filters equal Pillow's to the bit; the others round once, to within
// 0.6 of the unrounded PyTorch and TensorFlow values. Checked: testdata/resize.npz.
func (m *Image) Resize(w, h int, f Filter) (*Image, error) {
	if w == m.W && h == m.H {
		return m.copy(), nil // every filter is exact here
	}
	return m.ResizeBox(m.Bounds(), w, h, f)
}

// ResizeBox returns the part of m inside box, in m's own pixels and not necessarily
// whole ones, at w×h pixels. Pixels outside the box still weigh in at its edges, as in
// Pillow's resize(box=…). A box that leaves the image is trilobite.Invalid.
func (m *Image) ResizeBox(box geom.Box, w, h int, f Filter) (*Image, error) {
	if err := m.checkResize(box, w, h); err != nil {
		return nil, err
	}
	out := New(w, h)
	out.FullW, out.FullH, out.Orientation, out.Format = m.FullW, m.FullH, m.Orientation, m.Format
	if f == BilinearTF || f == BilinearHalfPixel {
		m.lerp(out, box, f)
	} else {
		m.convolve(out, box, f)
	}
	return out, nil
}

// checkResize refuses sizes that cannot be and boxes that leave the image.
func (m *Image) checkResize(box geom.Box, w, h int) error {
	if w < 1 || h < 1 || w > math.MaxInt32/3/h {
		return &trilobite.Error{Op: "imageio.Resize", Code: trilobite.Invalid,
			Msg: fmt.Sprintf("An image cannot be resized to %d×%d pixels.", w, h)}
	}
	if !(box.X1 >= 0 && box.Y1 >= 0 && box.X1 < box.X2 && box.Y1 < box.Y2 && box.X2 <= float32(m.W) && box.Y2 <= float32(m.H)) {
		return &trilobite.Error{Op: "imageio.Resize", Code: trilobite.Invalid,
			Msg: fmt.Sprintf("The box %v is not inside an image of %d×%d pixels.", box, m.W, m.H)}
	}
	return nil
}

func (m *Image) copy() *Image {
	out := *m
	out.Pix = append([]uint8(nil), m.Pix...)
	return &out
}

// lerp fills out by interpolation between two by two pixels.
func (m *Image) lerp(out *Image, box geom.Box, f Filter) {
	x := newPairs(f, m.W, float64(box.X1), float64(box.X2), out.W, 3)
	y := newPairs(f, m.H, float64(box.Y1), float64(box.Y2), out.H, 1)
	row := make([]int32, m.W*3)
	C.tl_lerp(u8(m.Pix), C.int(m.W), u8(out.Pix), C.int(out.W), C.int(out.H),
		i32(x.a), i32(x.b), i32(x.fixed()), i32(y.a), i32(y.b), i32(y.fixed()), i32(row))
}

// convolve fills out by a separable filter, each pass rounded to 8 bits. Columns come
// first, as in every Pillow; since Pillow 13 rows come first where the height shrinks
// by more than twice as many pixels as the width (measured over sizes and boxes: the
// source's size counts, not the box's).
func (m *Image) convolve(out *Image, box geom.Box, f Filter) {
	x := newTaps(f, m.W, float64(box.X1), float64(box.X2), out.W)
	y := newTaps(f, m.H, float64(box.Y1), float64(box.Y2), out.H)
	if out.H < m.H && m.H-out.H > 2*(m.W-out.W) {
		mid := make([]uint8, m.W*out.H*3)
		convolveRows(m.Pix, m.W, mid, y)
		convolveColumns(mid, m.W, out.H, out.Pix, x)
		return
	}
	top, bottom := int(y.first[0]), int(y.first[out.H-1])+y.n // the rows that count
	for i := range y.first {
		y.first[i] -= int32(top)
	}
	mid := make([]uint8, out.W*(bottom-top)*3)
	convolveColumns(m.Pix[top*m.W*3:], m.W, bottom-top, mid, x)
	convolveRows(mid, out.W, out.Pix, y)
}

// convolveColumns resamples h rows of w pixels to rows of len(t.first) pixels.
func convolveColumns(src []uint8, w, h int, dst []uint8, t taps) {
	C.tl_convolve_h(u8(src), C.int(w), C.int(h), u8(dst), C.int(len(t.first)), i32(t.first), i32(t.k), C.int(t.n))
}

// convolveRows resamples rows of w pixels to len(t.first) rows.
func convolveRows(src []uint8, w int, dst []uint8, t taps) {
	row := make([]int32, w*3)
	C.tl_convolve_v(u8(src), C.int(w), u8(dst), C.int(len(t.first)), i32(t.first), i32(t.k), C.int(t.n), i32(row))
}

func u8(s []uint8) *C.uint8_t  { return (*C.uint8_t)(unsafe.SliceData(s)) }
func i32(s []int32) *C.int32_t { return (*C.int32_t)(unsafe.SliceData(s)) }
