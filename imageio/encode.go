package imageio

/*
#include "vips.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// EncodePNG returns m as a PNG file.
func (m *Image) EncodePNG() ([]byte, error) {
	const level = 6 // zlib's own default
	return m.encode("PNG", func(im *C.VipsImage, buf *unsafe.Pointer, n *C.size_t) C.int {
		return C.tl_save_png(im, level, buf, n)
	})
}

// EncodeJPEG returns m as a JPEG file of a quality from 1 to 100.
func (m *Image) EncodeJPEG(quality int) ([]byte, error) {
	return m.encode("JPEG", func(im *C.VipsImage, buf *unsafe.Pointer, n *C.size_t) C.int {
		return C.tl_save_jpeg(im, C.int(min(max(quality, 1), 100)), buf, n)
	})
}

func (m *Image) encode(name string, save func(*C.VipsImage, *unsafe.Pointer, *C.size_t) C.int) ([]byte, error) {
	s, err := wrap(m)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", name, err)
	}
	defer s.close()
	var buf unsafe.Pointer
	var n C.size_t
	if save(s.im, &buf, &n) != 0 {
		return nil, fmt.Errorf("encoding %s of %d×%d: %w", name, m.W, m.H, vipsError())
	}
	defer C.g_free(C.gpointer(buf))
	return C.GoBytes(buf, C.int(n)), nil
}
