package imageio

// #include "flow.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"trilobite"
)

// Flow is an image that operations of libvips are added to, each a method; nothing is
// computed before Pixels, and then all of them at once, piece by piece, on every core,
// without copies in between. A method that fails leaves the flow as it was. Close it.
type Flow struct {
	W, H int

	im   *C.VipsImage
	pin  *runtime.Pinner
	base *Image // its pixels are what im begins with
	done bool   // they are what im has
}

// Flow begins with the pixels of m, which must stay as they are until the flow is closed.
func (m *Image) Flow() (*Flow, error) {
	if err := start(); err != nil {
		return nil, err
	}
	f := &Flow{}
	return f, f.begin(m, m.Pix, 3)
}

// begin starts anew with the values of pix, those of an image of m's size.
func (f *Flow) begin(m *Image, pix []uint8, bands int) error {
	pin := &runtime.Pinner{}
	pin.Pin(unsafe.SliceData(pix))
	im := C.tl_flow_wrap(unsafe.Pointer(unsafe.SliceData(pix)), C.int(m.W), C.int(m.H), C.int(bands))
	if im == nil {
		pin.Unpin()
		return vipsError()
	}
	f.Close()
	*f = Flow{W: m.W, H: m.H, im: im, pin: pin, base: m, done: true}
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
	f.W, f.H = int(C.vips_image_get_width(out)), int(C.vips_image_get_height(out))
	return nil
}

// Pixels computes the image. The flow goes on from there: asked again, it computes nothing
// twice. Where no operation was added, these are the pixels it began with.
func (f *Flow) Pixels() (*Image, error) {
	if f.done {
		return f.base, nil
	}
	out := New(f.W, f.H)
	out.Orientation, out.Format = f.base.Orientation, f.base.Format
	if err := compute(f.im, out.Pix); err != nil {
		return nil, fmt.Errorf("computing %d×%d pixels: %w", f.W, f.H, err)
	}
	return out, f.begin(out, out.Pix, 3)
}

// Replace lets the flow go on with an image of its own making.
func (f *Flow) Replace(m *Image) error { return f.begin(m, m.Pix, 3) }

// compute writes an image's values to dst, on every core.
func compute(im *C.VipsImage, dst []uint8) error {
	var next C.int32_t
	var err error
	var mu sync.Mutex
	var g sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() {
			if C.tl_flow_write(im, u8(dst), &next) != 0 {
				mu.Lock()
				defer mu.Unlock()
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

// Turn exchanges x and y, then left and right, then top and bottom, as asked.
func (f *Flow) Turn(transpose, mirror, flip bool) error {
	return f.then("turn", C.tl_flow_turn(f.im, boolean(transpose), boolean(mirror), boolean(flip)))
}

func boolean(b bool) C.int {
	if b {
		return 1
	}
	return 0
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
	return f.Replace(img)
}

// Embed lays the image at x, y on w×h pixels of one level, 0 to 255.
func (f *Flow) Embed(x, y, w, h, level int) error {
	return f.then("embed", C.tl_flow_embed(f.im, C.int(x), C.int(y), C.int(w), C.int(h), C.int(level)))
}

// Median replaces each channel of each pixel by the median of the size×size pixels around
// it; edges go on outwards. size is odd. It is vips_median.
func (f *Flow) Median(size int) error {
	return f.then("median", C.tl_flow_median(f.im, C.int(size)))
}

// Gaussian blurs by a Gaussian of sigma pixels, cut where it falls below a hundredth of
// its peak; edges go on outwards. It is vips_gaussblur.
func (f *Flow) Gaussian(sigma float64) error {
	return f.then("gaussian", C.tl_flow_gaussian(f.im, C.double(sigma)))
}
