package labelme

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"trilobite/geom"
)

// maxMask bounds the pixels of a mask, as imageio does of a picture.
const maxMask = 100_000_000

// mask returns the pixels of a shape of a picture of w×h: a PNG whose pixels are in where
// they are not black, from the upper left of the shape's two points on.
func mask(s shape, w, h int) (*geom.RLE, error) {
	if len(s.Points) != 2 || len(s.Mask) == 0 {
		return nil, fmt.Errorf("a mask of %d points and %d bytes", len(s.Points), len(s.Mask))
	}
	head, err := png.DecodeConfig(bytes.NewReader(s.Mask))
	if err != nil {
		return nil, fmt.Errorf("mask: %w", err)
	}
	left, top := int(s.Points[0][0]), int(s.Points[0][1])
	if w < 1 || h < 1 || w > maxMask/h || left < 0 || top < 0 || left > w-head.Width || top > h-head.Height {
		return nil, fmt.Errorf("a mask of %d×%d at %d, %d of a picture of %d×%d", head.Width, head.Height, left, top, w, h)
	}
	img, err := png.Decode(bytes.NewReader(s.Mask))
	if err != nil {
		return nil, fmt.Errorf("mask: %w", err)
	}
	pixels := make([]uint8, w*h)
	for y := range head.Height {
		for x := range head.Width {
			if g, ok := color.GrayModel.Convert(img.At(x, y)).(color.Gray); ok {
				pixels[(top+y)*w+left+x] = g.Y
			}
		}
	}
	r := geom.EncodeRLE(pixels, w, h)
	if r.Area() == 0 {
		return nil, errors.New("the mask is empty")
	}
	return &r, nil
}

// saveMask returns the bounds of pixels, first and last, and their PNG.
func saveMask(r *geom.RLE) (points [][2]float64, data []byte, err error) {
	b := r.Bounds()
	left, top, w, h := int(b.X), int(b.Y), int(b.W), int(b.H)
	pixels := make([]uint8, r.W*r.H)
	r.Fill(pixels, 255)
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		copy(m.Pix[y*m.Stride:], pixels[(top+y)*r.W+left:][:w])
	}
	var out bytes.Buffer
	err = png.Encode(&out, m)
	return [][2]float64{{b.X, b.Y}, {b.X + b.W - 1, b.Y + b.H - 1}}, out.Bytes(), err
}
