package imageio

// #include "edit.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Median returns m with each channel of each pixel replaced by the median of the
// size×size pixels around it; edges go on outwards. size is odd. It is vips_median.
func (m *Image) Median(size int) (*Image, error) {
	return m.edit("median", C.TL_MEDIAN, float64(size), 0)
}

// Gaussian returns m blurred by a Gaussian of sigma pixels, cut where it falls below a
// hundredth of its peak; edges go on outwards. It is vips_gaussblur.
func (m *Image) Gaussian(sigma float64) (*Image, error) {
	return m.edit("gaussian", C.TL_GAUSSIAN, sigma, 0)
}

func (m *Image) edit(name string, op C.int, a, b float64) (*Image, error) {
	out := *m
	var err error
	if out.Pix, err = edit(name, op, a, b, m.Pix, m.W, m.H, 3); err != nil {
		return nil, err
	}
	return &out, nil
}

// HistLocal equalises a plane of w×h grey levels by the histogram of the window×window
// pixels around each; counts above slope are cut and spread over all levels (0: none).
// The sides of the window are at most those of the image. It is vips_hist_local.
func HistLocal(plane []uint8, w, h, window, slope int) ([]uint8, error) {
	return edit("local histogram equalisation", C.TL_HIST_LOCAL, float64(min(window, w, h)), float64(slope), plane, w, h, 1)
}

func edit(name string, op C.int, a, b float64, src []uint8, w, h, bands int) ([]uint8, error) {
	if err := start(); err != nil {
		return nil, err
	}
	if w < 1 || h < 1 || len(src) != w*h*bands {
		return nil, fmt.Errorf("%s: %d values are no image of %d×%d pixels", name, len(src), w, h)
	}
	dst := make([]uint8, len(src))
	if C.tl_edit(op, C.double(a), C.double(b), C.int(runtime.GOMAXPROCS(0)), unsafe.Pointer(unsafe.SliceData(src)),
		C.int(w), C.int(h), C.int(bands), u8(dst)) != 0 {
		return nil, fmt.Errorf("%s of %d×%d pixels: %w", name, w, h, vipsError())
	}
	return dst, nil
}

// Content returns where m differs from the colour of its upper left pixel by more than
// threshold, 0 to 255, after a median filter against single pixels; w and h are 0 where
// it nowhere does. It is vips_find_trim.
func (m *Image) Content(threshold float64) (x, y, w, h int, err error) {
	if err := start(); err != nil {
		return 0, 0, 0, 0, err
	}
	var box [4]C.int
	if C.tl_find_trim(unsafe.Pointer(unsafe.SliceData(m.Pix)), C.int(m.W), C.int(m.H), C.double(threshold), &box[0]) != 0 {
		return 0, 0, 0, 0, fmt.Errorf("looking for borders of %d×%d pixels: %w", m.W, m.H, vipsError())
	}
	return int(box[0]), int(box[1]), int(box[2]), int(box[3]), nil
}

// Transpose returns m with x and y exchanged.
func (m *Image) Transpose() *Image { return m.as(transpose(m)) }

// Mirror returns m with left and right exchanged.
func (m *Image) Mirror() *Image {
	out := m.copy()
	mirror(out)
	return out
}

// Flip returns m with top and bottom exchanged.
func (m *Image) Flip() *Image {
	out := m.copy()
	flip(out)
	return out
}

// as gives out the file's format and orientation.
func (m *Image) as(out *Image) *Image {
	out.Orientation, out.Format = m.Orientation, m.Format
	return out
}
