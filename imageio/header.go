package imageio

import (
	"trilobite"
)

// Header is what a file says of itself before its pixels are decoded.
type Header struct {
	Format      string // "jpeg", "png", "webp", "gif", "tiff", "bmp", "avif"
	W, H        int    // upright: width and height after Orientation is applied
	Orientation int    // EXIF orientation, 1 to 8; 1 if the file has none
	Pages       int    // frames or pages, at least 1; only the first is decoded
	Bands       int    // channels as stored, alpha included
	Bytes       int    // per sample as stored: 1 or 2, 4 for floating point
	Progressive bool   // the whole image is held in memory while it is decoded
	Scans       int    // of a progressive JPEG, 1 otherwise

	coefficients float64 // per pixel of a progressive JPEG
}

// Probe reads the header of an image file, decoding no pixel and checking no limit.
// Bytes of no supported format are trilobite.InvalidImage with a message that says
// what they seem to be.
func Probe(data []byte) (Header, error) {
	h, s, err := probe(data)
	if s != nil {
		s.close()
	}
	return h, err
}

// probe is Probe that leaves the file open. The source is nil for BMP.
func probe(data []byte) (Header, *source, error) {
	h := Header{Format: sniff(data), Orientation: 1, Pages: 1, Scans: 1}
	if len(data) == 0 {
		return h, nil, invalid(nil, "The image is empty.")
	}
	if h.Format == "" {
		return h, nil, invalid(nil, "The image is %s; send %s.", foreignName(data), accepted)
	}
	if h.Format == "bmp" {
		b, err := readBMPHeader(data)
		if err != nil {
			return h, nil, broken(h.Format, err)
		}
		h.W, h.H, h.Bands, h.Bytes = b.w, b.h, 3, 1
		return h, nil, nil
	}
	loader, _ := vipsFormat(h.Format)
	s, err := open(loader, data, 1)
	if err != nil {
		return h, nil, broken(h.Format, err)
	}
	v := s.header()
	h.W, h.H = int(v.width), int(v.height)
	h.Bands, h.Bytes = int(v.bands), int(v.bytes)
	h.Orientation, h.Pages = max(1, int(v.orientation)), max(1, int(v.pages))
	if h.Orientation >= 5 {
		h.W, h.H = h.H, h.W
	}
	switch h.Format {
	case "jpeg":
		h.Scans, h.coefficients = jpegScans(data)
		h.Progressive = h.coefficients > 0
	case "png":
		h.Progressive = len(data) > 28 && data[28] != 0 // IHDR's interlace method
	case "gif", "webp", "avif":
		h.Progressive = true
	}
	return h, s, nil
}

// titles are the formats' names for people.
var titles = map[string]string{"jpeg": "JPEG", "png": "PNG", "webp": "WebP", "gif": "GIF", "tiff": "TIFF", "bmp": "BMP", "avif": "AVIF"}

// broken is the error of a file that begins like its format but cannot be decoded.
func broken(format string, cause error) error {
	if trilobite.CodeOf(cause) != trilobite.Internal {
		return cause
	}
	return invalid(cause, "The %s image is damaged, cut short or of a variant that cannot be read.", titles[format])
}
