package imageio

// #include "resample.h"
import "C"

import (
	"fmt"
	"runtime"
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
	a := &C.tl_lerp_planes_args{
		src: u8(m.Pix), w: C.int(m.W), row: f32(row),
		r: f32(out.Data[0]), g: f32(out.Data[1]), b: f32(out.Data[2]), stride: C.int(out.Stride), ow: C.int(w), oh: C.int(h),
		x0: i32(x.a), x1: i32(x.b), fx: f32(x.f), y0: i32(y.a), y1: i32(y.b), fy: f32(y.f),
	}
	for c := range out.Scale {
		a.scale[c], a.bias[c] = C.float(out.Scale[c]), C.float(out.Bias[c])
	}
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(a)
	pins.Pin(a.src)
	for _, p := range []*C.float{a.r, a.g, a.b, a.fx, a.fy, a.row} {
		pins.Pin(p)
	}
	for _, p := range []*C.int32_t{a.x0, a.x1, a.y0, a.y1} {
		pins.Pin(p)
	}
	compute(w*h, C.tl_lerp_planes, unsafe.Pointer(a))
	return nil
}

func f32(s []float32) *C.float { return (*C.float)(unsafe.SliceData(s)) }
