package imageio

/*
#cgo CFLAGS: -std=gnu11 -O3
#include <stdlib.h>
#include "vips.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"trilobite/offload"
)

// start initialises libvips, once per process, at the first call that needs it.
var start = sync.OnceValue(func() error {
	if C.tl_start() != 0 {
		return vipsError()
	}
	offload.StartBy(C.tl_thread_start)
	return nil
})

// vipsFormat maps format names to the loaders of vips.c; BMP is not among them.
func vipsFormat(format string) (C.int, bool) {
	switch format {
	case "jpeg":
		return C.TL_JPEG, true
	case "png":
		return C.TL_PNG, true
	case "webp":
		return C.TL_WEBP, true
	case "gif":
		return C.TL_GIF, true
	case "tiff":
		return C.TL_TIFF, true
	case "avif":
		return C.TL_AVIF, true
	}
	return 0, false
}

// vipsError takes what libvips said of a failure, for logs. libvips has one error
// buffer for all threads, so under load the text may speak of a neighbour's file too;
// messages for clients never quote it.
func vipsError() error {
	text := C.tl_error()
	defer C.g_free(C.gpointer(text))
	s := strings.ToValidUTF8(strings.TrimSpace(C.GoString(text)), "?")
	if s == "" {
		s = "no reason given"
	}
	return errors.New("libvips: " + strings.ReplaceAll(s, "\n", "; "))
}

// trim gives freed memory back to the system.
func trim() { C.tl_trim() }

// source is an encoded image opened by libvips: header read, pixels not. It must be
// closed; until then its bytes are pinned.
type source struct {
	im  *C.VipsImage
	pin runtime.Pinner
}

// open opens data by the loader of format, shrinking by an integer factor on load
// where the loader can.
func open(format C.int, data []byte, shrink int) (*source, error) {
	if err := start(); err != nil {
		return nil, err
	}
	s := &source{}
	s.pin.Pin(unsafe.SliceData(data))
	s.im = C.tl_open(format, unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), C.int(shrink))
	if s.im == nil {
		s.pin.Unpin()
		return nil, vipsError()
	}
	return s, nil
}

// wrap opens the pixels of m for libvips.
func wrap(m *Image) (*source, error) {
	if err := start(); err != nil {
		return nil, err
	}
	s := &source{}
	s.pin.Pin(unsafe.SliceData(m.Pix))
	s.im = C.tl_flow_wrap(unsafe.Pointer(unsafe.SliceData(m.Pix)), C.int(m.W), C.int(m.H), 3)
	if s.im == nil {
		s.pin.Unpin()
		return nil, vipsError()
	}
	return s, nil
}

func (s *source) close() {
	if s.im != nil {
		C.g_object_unref(C.gpointer(s.im))
	}
	s.pin.Unpin()
}

func (s *source) header() C.tl_header {
	var h C.tl_header
	C.tl_read_header(s.im, &h)
	return h
}

// srgb decodes s to 8-bit sRGB, shrunk by an integer factor, into memory of spare; s can only
// be closed then. errStopped says that *cancel was set, which is read between strips of rows.
func (s *source) srgb(shrink int, useProfile bool, cancel *int32, spare *pixels) (*Image, error) {
	im, err := s.lazy(shrink, useProfile)
	if err != nil {
		return nil, err
	}
	out := spare.image(sizeOf(im))
	whole := s.im
	s.im = nil // freed with the rest: that takes a twentieth of the time of decoding
	return out, write(im, whole, out, cancel, nil)
}

// lazy is s as 8-bit sRGB, shrunk by an integer factor, of which nothing is decoded yet.
// The caller unrefs it.
func (s *source) lazy(shrink int, useProfile bool) (*C.VipsImage, error) {
	im := C.tl_srgb(s.im, C.int(shrink), boolean(useProfile))
	if im == nil {
		return nil, vipsError()
	}
	return im, nil
}

func boolean(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func sizeOf(im *C.VipsImage) (w, h int) {
	return int(C.vips_image_get_width(im)), int(C.vips_image_get_height(im))
}

// write decodes im into the pixels of out, and tells rows, if there are any, how far it is. It
// lets go of im, and of its source unless that is nil.
func write(im, source *C.VipsImage, out *Image, cancel *int32, rows *C.tl_rows) error {
	var pins runtime.Pinner
	defer pins.Unpin()
	a := &C.tl_write_args{im: im, source: source, dst: u8(out.Pix), cancel: (*C.int32_t)(cancel), rows: rows}
	pins.Pin(a)
	pins.Pin(a.dst)
	pins.Pin(cancel)
	compute(out.W*out.H, C.tl_write_job, unsafe.Pointer(a))
	switch a.err {
	case 0:
		return nil
	case 1:
		return errStopped
	default:
		return vipsError()
	}
}

// profile returns the embedded ICC profile, nil if there is none. The bytes are
// libvips' own and live as long as s.
func (s *source) profile() []byte {
	name := C.CString("icc-profile-data")
	defer C.free(unsafe.Pointer(name))
	if C.vips_image_get_typeof(s.im, name) == 0 {
		return nil
	}
	var blob unsafe.Pointer
	var n C.size_t
	if C.vips_image_get_blob(s.im, name, &blob, &n) != 0 { //nolint:gocritic // reads what cgo makes of it
		C.vips_error_clear()
		return nil
	}
	return unsafe.Slice((*byte)(blob), int(n))
}

// tracked returns the bytes that libvips holds for pixels and buffers.
func tracked() int { return int(C.vips_tracked_get_mem()) }

// vipsThumbnail is libvips' own thumbnailer, to measure ours against.
func vipsThumbnail(data []byte, w, h int) (*Image, error) {
	if err := start(); err != nil {
		return nil, err
	}
	out := New(w, h)
	if C.tl_thumbnail(unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), C.int(w), C.int(h), (*C.uint8_t)(unsafe.SliceData(out.Pix))) != 0 {
		return nil, vipsError()
	}
	return out, nil
}
