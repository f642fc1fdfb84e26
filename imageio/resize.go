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
// The antialiasing filters are computed as Pillow does, columns first, each pass
// rounded to 8 bits; the others round once. Checked against Pillow, PyTorch and
// TensorFlow's definition: testdata/resize.npz.
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
	if w < 1 || h < 1 || w > math.MaxInt32/3/h {
		return nil, &trilobite.Error{Op: "imageio.Resize", Code: trilobite.Invalid,
			Msg: fmt.Sprintf("An image cannot be resized to %d×%d pixels.", w, h)}
	}
	if !(box.X1 >= 0 && box.Y1 >= 0 && box.X1 < box.X2 && box.Y1 < box.Y2 && box.X2 <= float32(m.W) && box.Y2 <= float32(m.H)) {
		return nil, &trilobite.Error{Op: "imageio.Resize", Code: trilobite.Invalid,
			Msg: fmt.Sprintf("The box %v is not inside an image of %d×%d pixels.", box, m.W, m.H)}
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
		i32(x.a), i32(x.b), i32(x.f), i32(y.a), i32(y.b), i32(y.f), i32(row))
}

// convolve fills out by a separable filter: first columns, of the rows that the second
// pass needs, then rows.
func (m *Image) convolve(out *Image, box geom.Box, f Filter) {
	x := newTaps(f, m.W, float64(box.X1), float64(box.X2), out.W)
	y := newTaps(f, m.H, float64(box.Y1), float64(box.Y2), out.H)
	top, bottom := int(y.first[0]), int(y.first[out.H-1])+y.n
	for i := range y.first {
		y.first[i] -= int32(top)
	}
	mid := make([]uint8, out.W*(bottom-top)*3)
	C.tl_convolve_h(u8(m.Pix[top*m.W*3:]), C.int(m.W), C.int(bottom-top), u8(mid), C.int(out.W), i32(x.first), i32(x.k), C.int(x.n))
	row := make([]int32, out.W*3)
	C.tl_convolve_v(u8(mid), C.int(out.W), u8(out.Pix), C.int(out.H), i32(y.first), i32(y.k), C.int(y.n), i32(row))
}

func u8(s []uint8) *C.uint8_t  { return (*C.uint8_t)(unsafe.SliceData(s)) }
func i32(s []int32) *C.int32_t { return (*C.int32_t)(unsafe.SliceData(s)) }
