package imageio

import (
	"fmt"

	"trilobite"
	"trilobite/geom"
)

// Image is an upright 8-bit sRGB picture.
type Image struct {
	Pix  []uint8 // HWC, RGB, H*W*3 values, no padding between rows
	W, H int     // pixels in Pix

	// The upright size of the file, before shrinking on load and cropping. Boxes are
	// answered in these pixels.
	FullW, FullH int
	Orientation  int    // EXIF orientation of the file, 1 to 8; already applied to Pix
	Format       string // "jpeg", "png", …; "" for an image that was not decoded
	Steps        Steps  // of Options, which have changed it; nil: none
}

// New returns a black image of w×h pixels.
func New(w, h int) *Image {
	return &Image{Pix: make([]uint8, w*h*3), W: w, H: h, FullW: w, FullH: h, Orientation: 1}
}

// At returns the colour of pixel x, y.
func (m *Image) At(x, y int) (r, g, b uint8) {
	i := (y*m.W + x) * 3
	return m.Pix[i], m.Pix[i+1], m.Pix[i+2]
}

// Bounds returns the box of the image's own pixels.
func (m *Image) Bounds() geom.Box {
	return geom.Box{X2: float32(m.W), Y2: float32(m.H)}
}

// Crop returns a copy of the w×h pixels whose upper left corner is x, y. FullW and
// FullH become the crop's size. A crop that leaves the image is trilobite.Invalid.
func (m *Image) Crop(x, y, w, h int) (*Image, error) {
	if x < 0 || y < 0 || w < 1 || h < 1 || x > m.W-w || y > m.H-h {
		return nil, &trilobite.Error{Op: "imageio.Crop", Code: trilobite.Invalid, Msg: fmt.Sprintf(
			"A crop of %d×%d pixels at %d, %d does not fit in an image of %d×%d.", w, h, x, y, m.W, m.H)}
	}
	out := New(w, h)
	out.Orientation, out.Format = m.Orientation, m.Format
	for i := range h {
		copy(out.Pix[i*w*3:(i+1)*w*3], m.Pix[((y+i)*m.W+x)*3:])
	}
	return out, nil
}
