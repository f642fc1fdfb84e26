package imageio

import (
	"fmt"

	"trilobite"
)

// Limits are what a file may cost. They are checked against its length and its header
// before a pixel is decoded. Zero fields take DefaultLimits.
type Limits struct {
	Bytes  int // length of the file
	Pixels int // width × height
	Side   int // the longer side
	Memory int // estimated bytes of memory to decode it
}

// DefaultLimits lets through the largest pictures of today's cameras and telephones,
// 100 megapixels, as JPEG at full size and, where it may shrink on load, in most other
// formats; Memory turns away what would take the process near a gigabyte.
func DefaultLimits() Limits {
	return Limits{Bytes: 32 << 20, Pixels: 100_000_000, Side: 32_767, Memory: 700 << 20}
}

// or fills the zero fields of l from DefaultLimits.
func (l Limits) or() Limits {
	d := DefaultLimits()
	if l.Bytes == 0 {
		l.Bytes = d.Bytes
	}
	if l.Pixels == 0 {
		l.Pixels = d.Pixels
	}
	if l.Side == 0 {
		l.Side = d.Side
	}
	if l.Memory == 0 {
		l.Memory = d.Memory
	}
	return l
}

// bytes checks the length of a file.
func (l Limits) bytes(n int) error {
	if n <= l.Bytes {
		return nil
	}
	return tooLarge("The image has %d bytes; at most %d are allowed.", n, l.Bytes)
}

// size checks the size that a header declares.
func (l Limits) size(w, h int) error {
	switch {
	case max(w, h) > l.Side:
		return tooLarge("The image is %d×%d pixels; its sides may have at most %d.", w, h, l.Side)
	case w*h > l.Pixels:
		return tooLarge("The image is %d×%d = %.1f megapixels; at most %.1f are allowed.",
			w, h, float64(w*h)/1e6, float64(l.Pixels)/1e6)
	}
	return nil
}

// header checks what a header declares, for a decode that may shrink to minSide.
func (l Limits) header(h Header, minSide int) error {
	if err := l.size(h.W, h.H); err != nil {
		return err
	}
	if peak, _ := h.memory(minSide); peak > int64(l.Memory) {
		return tooLarge("The %s image of %d×%d pixels needs %d MB to decode; at most %d are allowed.",
			titles[h.Format], h.W, h.H, peak>>20, l.Memory>>20)
	}
	// Every scan of a progressive JPEG passes over all pixels. Cameras and encoders
	// write about ten; a file of a few kilobytes can ask for hundreds.
	const most = 1_500_000_000
	if h.Scans > 16 && h.Scans*h.W*h.H > most {
		return tooLarge("The JPEG image has %d scans of %.1f megapixels, too much work for one picture.",
			h.Scans, float64(h.W*h.H)/1e6)
	}
	return nil
}

func tooLarge(format string, args ...any) error {
	return &trilobite.Error{Op: "imageio.Decode", Code: trilobite.ImageTooLarge, Msg: fmt.Sprintf(format, args...)}
}

func invalid(cause error, format string, args ...any) error {
	return &trilobite.Error{Op: "imageio.Decode", Code: trilobite.InvalidImage, Msg: fmt.Sprintf(format, args...), Err: cause}
}
