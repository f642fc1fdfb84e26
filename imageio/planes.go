package imageio

// #include "resample.h"
import "C"

import (
	"fmt"
	"unsafe"

	"trilobite/geom"
)

// Planes is where ResizePlanes writes: a plane of float32 for each channel, in the
// order of RGB, rows Stride values apart. A value is pixel × Scale + Bias, with pixels
// of 0 to 255.
type Planes struct {
	Data        [3][]float32 // each begins at the upper left pixel
	Stride      int
	Scale, Bias [3]float32
}

// ResizePlanes is ResizeBox for BilinearTF and BilinearHalfPixel, straight into
// normalised planes: nothing is rounded to 8 bits on the way, as in the frameworks
// themselves, and the pixels are touched once.
func (m *Image) ResizePlanes(box geom.Box, w, h int, f Filter, out Planes) error {
	if f != BilinearTF && f != BilinearHalfPixel {
		return fmt.Errorf("filter %s does not resize into planes", f)
	}
	if err := m.checkResize(box, w, h); err != nil {
		return err
	}
	for c, d := range out.Data {
		if out.Stride < w || len(d) < (h-1)*out.Stride+w {
			return fmt.Errorf("plane %d of %d values, %d a row, does not hold %d×%d pixels", c, len(d), out.Stride, w, h)
		}
	}
	x := newPairs(f, m.W, float64(box.X1), float64(box.X2), w, 3)
	y := newPairs(f, m.H, float64(box.Y1), float64(box.Y2), h, 1)
	row := make([]float32, m.W*3+1)
	C.tl_lerp_planes(u8(m.Pix), C.int(m.W), f32(out.Data[0]), f32(out.Data[1]), f32(out.Data[2]), C.int(out.Stride), C.int(w), C.int(h),
		f32(out.Scale[:]), f32(out.Bias[:]), i32(x.a), i32(x.b), f32(x.f), i32(y.a), i32(y.b), f32(y.f), f32(row))
	return nil
}

func f32(s []float32) *C.float { return (*C.float)(unsafe.SliceData(s)) }
