package imageio

// #include "flow.h"
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"
)

// Table maps the levels of R, G and B.
type Table [3][256]uint8

// Look replaces every level by its table's.
func (f *Flow) Look(t *Table) error {
	return f.points("table", C.TL_TABLE, t, 0)
}

// Saturate makes luma + (x − luma)·s of each channel, with the luma of BT.601 as Pillow's
// convert("L") rounds it; 0 is grey.
func (f *Flow) Saturate(s float64) error {
	return f.points("saturation", C.TL_SATURATE, nil, fixed16(s))
}

// Sharpen is an unsharp mask: x + amount·(x − Gaussian(x)).
func (f *Flow) Sharpen(sigma, amount float64) error {
	if err := f.settle(Turn{}); err != nil { // what came before is not computed for both parts
		return err
	}
	soft := C.tl_flow_gaussian(f.im, C.double(sigma))
	if soft == nil {
		return f.then("sharpen", nil)
	}
	defer C.g_object_unref(C.gpointer(soft))
	return f.points("sharpen", C.TL_UNSHARP, nil, fixed16(amount), soft)
}

// Luma returns the luma of BT.601 of each pixel, as Pillow's convert("L") rounds it.
func (f *Flow) Luma() ([]uint8, error) {
	if err := f.settle(Turn{}); err != nil { // it is needed again
		return nil, err
	}
	y, err := f.luma()
	if err != nil {
		return nil, err
	}
	defer C.g_object_unref(C.gpointer(y))
	out := make([]uint8, f.W*f.H)
	return out, f.compute(y, Turn{}, out)
}

func (f *Flow) luma() (*C.VipsImage, error) {
	y := C.tl_flow_points(C.TL_LUMA, &f.im, 1, nil, 0) //nolint:gocritic // reads what cgo makes of it
	if y == nil {
		return nil, vipsError()
	}
	return y, nil
}

// HistLocal equalises the luma by the histogram of the window×window pixels around each,
// its counts cut at slope and what was cut spread over all levels (0: not cut); the
// channels change by as much as the luma. The window's sides are at most the image's. It is
// vips_hist_local.
func (f *Flow) HistLocal(window, slope int) error {
	if err := f.settle(Turn{}); err != nil { // as Sharpen
		return err
	}
	was, err := f.luma()
	if err != nil {
		return err
	}
	defer C.g_object_unref(C.gpointer(was))
	now := C.tl_flow_hist_local(was, C.int(min(window, f.W, f.H)), C.int(slope))
	if now == nil {
		return f.then("local histogram equalisation", nil)
	}
	defer C.g_object_unref(C.gpointer(now))
	return f.points("local histogram equalisation", C.TL_SHIFT, nil, 0, now, was)
}

func (f *Flow) points(name string, kind C.int, t *Table, k int, more ...*C.VipsImage) error {
	in := append([]*C.VipsImage{f.im}, more...)
	var table *C.uint8_t
	if t != nil {
		table = u8(t[0][:])
	}
	return f.then(name, C.tl_flow_points(kind, &in[0], C.int(len(in)), table, C.int(k)))
}

// fixed16 is x in 65536ths.
func fixed16(x float64) int { return int(math.Round(x * 65536)) }

// Shift changes the channels of each pixel by as much as its luma: from was, which Luma
// has returned, to now.
func (f *Flow) Shift(now, was []uint8) error {
	if len(now) != f.W*f.H || len(was) != len(now) {
		return fmt.Errorf("shift: %d and %d levels for %d×%d pixels", len(now), len(was), f.W, f.H)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	var planes [2]*C.VipsImage
	for i, p := range [][]uint8{now, was} {
		pin.Pin(unsafe.SliceData(p))
		planes[i] = C.tl_flow_wrap(unsafe.Pointer(unsafe.SliceData(p)), C.int(f.W), C.int(f.H), 1)
		if planes[i] == nil {
			return vipsError()
		}
		defer C.g_object_unref(C.gpointer(planes[i]))
	}
	if err := f.points("shift", C.TL_SHIFT, nil, 0, planes[0], planes[1]); err != nil {
		return err
	}
	return f.settle(Turn{}) // the planes may go then
}
