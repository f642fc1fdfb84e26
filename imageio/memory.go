package imageio

// memory estimates the bytes that decoding takes at its peak, and those of the pixels
// that remain, for a decode that may shrink to minSide.
//
// The factors are peaks of resident memory (Linux' VmHWM) measured with libvips 8.18
// on files of 24 and 100 megapixels of each format, whole and shrunk, rounded up.
func (h Header) memory(minSide int) (peak, rest int64) {
	const (
		fixed  = 4 << 20  // decoder tables, libvips' own structures
		column = 10 << 10 // buffered lines, per pixel of their width
	)
	load, box := shrinks(h, minSide)
	w, pixels := int64(h.W), int64(h.W)*int64(h.H)
	if h.Orientation >= 5 {
		w = int64(h.H)
	}
	n := int64(load) * int64(box)
	rest = (pixels/(n*n) + int64(h.W+h.H)) * 3
	peak = fixed + w/int64(load)*column + h.whole(load)
	if h.Orientation >= 2 {
		peak += rest // the turned copy
	}
	if h.Format == "bmp" && box > 1 {
		peak += pixels * 3
	}
	return peak + rest, rest
}

// whole estimates the bytes of what a decoder holds of the whole image, beside the
// pixels it gives; formats that stream hold nothing.
func (h Header) whole(load int) int64 {
	pixels := int64(h.W) * int64(h.H)
	stored := pixels * int64(h.Bands) * int64(h.Bytes)
	switch {
	case h.Format == "jpeg": // 16-bit coefficients of a progressive file
		return int64(2 * h.coefficients * float64(pixels))
	case h.Format == "png" && h.Progressive, h.Format == "tiff": // a TIFF may be one strip
		return stored
	case h.Format == "webp" && load > 1: // lossless; lossy ones stream when they shrink
		return pixels * 4
	case h.Format == "webp":
		return pixels * 9
	case h.Format == "gif":
		return pixels * 5
	case h.Format == "avif":
		return pixels * 15
	}
	return 0
}
