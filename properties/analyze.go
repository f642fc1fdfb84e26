package properties

import (
	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
)

// sampleSide bounds the grid of pixels that colours and lightness are taken from.
const sampleSide = 192

// Analyze returns the quality and up to maxColors dominant colours of the image, its
// foreground and its background. Foreground and Background are nil in a picture where
// nothing stands out from the rest.
func Analyze(img *imageio.Image, maxColors int) *trilobite.Properties {
	all := sample(img, img.Bounds(), nil)
	detail := newDetail(img)
	out := &trilobite.Properties{Region: region(all, detail, nil, maxColors)}
	s := newSalience(img)
	if mask := s.foreground(); mask != nil {
		fore := region(sample(img, img.Bounds(), mask.at), detail, mask.at, maxColors)
		outside := func(x, y float64) bool { return !mask.at(x, y) }
		back := region(sample(img, img.Bounds(), outside), detail, outside, maxColors)
		out.Foreground, out.Background = &fore, &back
	}
	return out
}

// Colors returns up to maxColors dominant colours of a box in FullW×FullH pixels, most
// frequent first; their fractions are of the box's pixels and sum to 1. A box with no
// pixel in the image has none.
func Colors(img *imageio.Image, box geom.Box, maxColors int) []trilobite.Color {
	sx, sy := float32(img.W)/float32(img.FullW), float32(img.H)/float32(img.FullH)
	return sample(img, box.Scale(sx, sy).Clip(float32(img.W), float32(img.H)), nil).colors(maxColors)
}

// region measures the sampled pixels; keep limits sharpness to the same part of the
// picture, in fractions of its sides; nil is all of it.
func region(p pixels, d *detail, keep func(x, y float64) bool, maxColors int) trilobite.Region {
	brightness, contrast := p.tone()
	return trilobite.Region{
		Quality: trilobite.Quality{Brightness: brightness, Sharpness: d.sharpness(keep), Contrast: contrast},
		Colors:  p.colors(maxColors),
	}
}

// pixels are sampled colours, RGB.
type pixels []uint8

// sample takes pixels of a box from an even grid of at most sampleSide a side, those
// for which keep holds; it does not average, so it invents no colour.
func sample(img *imageio.Image, box geom.Box, keep func(x, y float64) bool) pixels {
	if box.Area() == 0 {
		return nil
	}
	x1, y1 := int(box.X1), int(box.Y1)
	w, h := min(max(1, int(box.X2+0.5)-x1), img.W-x1), min(max(1, int(box.Y2+0.5)-y1), img.H-y1)
	nx, ny := min(w, sampleSide), min(h, sampleSide)
	out := make(pixels, 0, nx*ny*3)
	for j := range ny {
		y := y1 + (2*j+1)*h/(2*ny)
		for i := range nx {
			x := x1 + (2*i+1)*w/(2*nx)
			if keep == nil || keep((float64(x)+0.5)/float64(img.W), (float64(y)+0.5)/float64(img.H)) {
				at := (y*img.W + x) * 3
				out = append(out, img.Pix[at:at+3]...)
			}
		}
	}
	return out
}
