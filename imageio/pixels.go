package imageio

import "sync"

// maxSpare bounds the memory of one image that is kept for the next: 8 MiB, a picture
// of 2.8 megapixels.
const maxSpare = 8 << 20

// pixels keeps the memory of images that nobody needs any more for the next ones. A
// megabyte for each photo, cleared by the runtime and collected again, was a sixth of
// the processor time of decoding it.
type pixels struct {
	pool sync.Pool // of *[]uint8
}

// image returns an image of w×h pixels whose contents are undefined.
func (p *pixels) image(w, h int) *Image {
	n := w * h * 3
	if p != nil {
		if b, ok := p.pool.Get().(*[]uint8); ok && cap(*b) >= n {
			return &Image{Pix: (*b)[:n], W: w, H: h, FullW: w, FullH: h, Orientation: 1}
		}
	}
	return New(w, h)
}

// keep takes the memory of m, which nothing may use afterwards.
func (p *pixels) keep(m *Image) {
	if cap(m.Pix) <= maxSpare {
		b := m.Pix[:0]
		p.pool.Put(&b)
	}
	m.Pix = nil
}
