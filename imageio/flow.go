package imageio

// #include "flow.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"trilobite"
)

// Flow is an image that operations of libvips are added to, each a method; nothing is
// computed before Pixels, and then all of them at once, strip by strip, on every core,
// without copies in between. A method that fails leaves the flow as it was. Close it.
type Flow struct {
	W, H         int // pixels, of what it has come to
	FullW, FullH int // upright, of the file that it began with

	im   *C.VipsImage
	pin  *runtime.Pinner
	base *Image   // its pixels are what im begins with
	done bool     // they are what im has
	from *arrival // of the flow's first pixels; nil: they were there
	stop *int32   // nil: it is never stopped
}

// Flow begins with the pixels of m, which must stay as they are until the flow is closed.
func (m *Image) Flow() (*Flow, error) {
	if err := start(); err != nil {
		return nil, err
	}
	f := &Flow{FullW: m.FullW, FullH: m.FullH}
	return f, f.begin(m, nil)
}

// begin starts anew with the pixels of m; rows are those that are there, nil: all.
func (f *Flow) begin(m *Image, rows *C.tl_rows) error {
	pin := &runtime.Pinner{}
	pin.Pin(unsafe.SliceData(m.Pix))
	pix, w, h := unsafe.Pointer(unsafe.SliceData(m.Pix)), C.int(m.W), C.int(m.H)
	var im *C.VipsImage
	if rows == nil {
		im = C.tl_flow_wrap(pix, w, h, 3)
	} else {
		im = C.tl_flow_arriving(pix, w, h, rows)
	}
	if im == nil {
		pin.Unpin()
		return vipsError()
	}
	f.Close()
	f.W, f.H, f.im, f.pin, f.base, f.done = m.W, m.H, im, pin, m, true
	return nil
}

// Close frees what the flow holds. Calls after the first do nothing.
func (f *Flow) Close() {
	if f.im == nil {
		return
	}
	C.g_object_unref(C.gpointer(f.im))
	f.pin.Unpin()
	f.im = nil
}

// then puts what an operation made in the place of the image.
func (f *Flow) then(name string, out *C.VipsImage) error {
	if out == nil {
		return fmt.Errorf("%s of %d×%d pixels: %w", name, f.W, f.H, vipsError())
	}
	C.g_object_unref(C.gpointer(f.im))
	f.im, f.done = out, false
	f.W, f.H = sizeOf(out)
	return nil
}

// Pixels computes the image. The flow goes on from there: asked again, it computes nothing
// twice. Where no operation was added, these are the pixels it began with.
func (f *Flow) Pixels() (*Image, error) {
	if err := f.settle(Turn{}); err != nil || f.from == nil {
		return f.base, err
	}
	return f.base, f.from.wait()
}

// settle computes what was added, so that it is not computed for each of several uses, and
// turns it. Where there is nothing to do, rows of what it began with may still be coming.
func (f *Flow) settle(t Turn) error {
	if f.done && t == (Turn{}) {
		return nil
	}
	out := New(t.size(f.W, f.H))
	out.Orientation, out.Format = f.base.Orientation, f.base.Format
	if err := f.compute(f.im, t, out.Pix); err != nil {
		return fmt.Errorf("computing %d×%d pixels: %w", f.W, f.H, err)
	}
	return f.begin(out, nil)
}

// errStopped is the end of work that was told to stop.
var errStopped = errors.New("stopped")

// compute writes an image's values to dst, on every core.
func (f *Flow) compute(im *C.VipsImage, t Turn, dst []uint8) error {
	var next C.int32_t
	var err error
	var mu sync.Mutex
	var g sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() {
			rc := C.tl_flow_write(im, t.how(), u8(dst), &next, (*C.int32_t)(f.stop))
			if rc == 0 {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if err = errStopped; rc < 0 {
				err = vipsError()
			}
		})
	}
	g.Wait()
	return err
}

// Crop keeps the w×h pixels whose upper left corner is x, y. One that leaves the image is
// trilobite.Invalid.
func (f *Flow) Crop(x, y, w, h int) error {
	if x < 0 || y < 0 || w < 1 || h < 1 || x > f.W-w || y > f.H-h {
		return &trilobite.Error{Op: "imageio.Crop", Code: trilobite.Invalid, Msg: fmt.Sprintf(
			"A crop of %d×%d pixels at %d, %d does not fit in an image of %d×%d.", w, h, x, y, f.W, f.H)}
	}
	return f.then("crop", C.tl_flow_crop(f.im, C.int(x), C.int(y), C.int(w), C.int(h)))
}

// Turn turns the image. Its rows are needed in another order than they come: it is computed.
func (f *Flow) Turn(t Turn) error {
	if t == (Turn{}) {
		return nil
	}
	return f.settle(t)
}

// reducers are the filters that libvips has for smaller images.
var reducers = map[Filter]C.VipsKernel{Bilinear: C.VIPS_KERNEL_LINEAR, Bicubic: C.VIPS_KERNEL_CUBIC, Lanczos: C.VIPS_KERNEL_LANCZOS3}

// Resize makes the image w×h pixels. Bilinear, Bicubic and Lanczos make an image smaller by
// vips_reduce, rows first, weights of 1/64 pixel; whatever else is Image.Resize.
func (f *Flow) Resize(w, h int, filter Filter) error {
	if w == f.W && h == f.H {
		return nil
	}
	kernel, ok := reducers[filter]
	if ok && w <= f.W && h <= f.H && w > 0 && h > 0 {
		out := C.tl_flow_reduce(f.im, C.double(float64(f.W)/float64(w)), C.double(float64(f.H)/float64(h)), kernel)
		if out != nil && (int(C.vips_image_get_width(out)) != w || int(C.vips_image_get_height(out)) != h) {
			C.g_object_unref(C.gpointer(out))
			return fmt.Errorf("libvips does not reduce %d×%d to %d×%d pixels", f.W, f.H, w, h)
		}
		return f.then("resize", out)
	}
	img, err := f.Pixels()
	if err != nil {
		return err
	}
	if img, err = img.Resize(w, h, filter); err != nil {
		return err
	}
	return f.begin(img, nil)
}

// Embed lays the image at x, y on w×h pixels of one level, 0 to 255.
func (f *Flow) Embed(x, y, w, h, level int) error {
	return f.then("embed", C.tl_flow_embed(f.im, C.int(x), C.int(y), C.int(w), C.int(h), C.int(level)))
}

// Median replaces each channel of each pixel by the median of the size×size pixels around
// it; edges go on outwards. size is odd. It is vips_median, for 3 by the least and the highest of lines.
func (f *Flow) Median(size int) error {
	if size == 3 {
		return f.then("median", C.tl_flow_median3(f.im))
	}
	return f.then("median", C.tl_flow_median(f.im, C.int(size)))
}

// Gaussian blurs by a Gaussian of sigma pixels, cut where it falls below a hundredth of
// its peak; edges go on outwards. It is vips_gaussblur.
func (f *Flow) Gaussian(sigma float64) error {
	return f.then("gaussian", C.tl_flow_gaussian(f.im, C.double(sigma)))
}
