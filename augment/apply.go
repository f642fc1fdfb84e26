package augment

import (
	"errors"
	"fmt"
	"math"

	"trilobite/dataset/masks"
	"trilobite/geom"
	"trilobite/imageio"
)

// Target is what is known of a picture.
type Target struct {
	Mask    *masks.Mask // of any number of pixels; nil for none
	Boxes   []geom.Box  // in FullW×FullH pixels of the picture
	Classes []int       // of the boxes
}

// Apply draws a change and carries it out on the picture and its target. The picture and
// the target that come in stay as they are.
func (p Plan) Apply(img *imageio.Image, t Target, seed uint64) (*imageio.Image, Target, error) {
	if err := p.Validate(); err != nil {
		return nil, Target{}, err
	}
	if img == nil || img.W < 1 || img.H < 1 || len(img.Pix) != 3*img.W*img.H {
		return nil, Target{}, errors.New("augmentation: the picture has no pixels")
	}
	if len(t.Boxes) != len(t.Classes) {
		return nil, Target{}, fmt.Errorf("augmentation: %d boxes and %d classes", len(t.Boxes), len(t.Classes))
	}
	c := p.Draw(img.W, img.H, seed)
	out := Target{}
	if t.Mask != nil {
		out.Mask = c.Mask(t.Mask)
	}
	out.Boxes, out.Classes = c.Boxes(t.Boxes, t.Classes, float64(img.FullW), float64(img.FullH))
	return c.Image(img), out, nil
}

// Image returns the picture changed. It has W×H pixels and, where it was shrunk on load,
// a full size to go with them.
func (c *Change) Image(img *imageio.Image) *imageio.Image {
	out := imageio.New(c.W, c.H)
	out.FullW, out.FullH = c.full(img.FullW, img.FullH)
	out.Orientation, out.Format = img.Orientation, img.Format
	if c.Angle == 0 {
		c.copyPart(out, img)
	} else {
		c.warp(out, img)
	}
	recolor(out.Pix, c.color)
	return out
}

// full returns the part's size in the pixels of a picture of w×h.
func (c *Change) full(w, h int) (int, int) {
	return max(1, int(math.Round(float64(c.W)*float64(w)/float64(c.fromW)))),
		max(1, int(math.Round(float64(c.H)*float64(h)/float64(c.fromH))))
}

// copyPart copies the pixels that are seen, mirrored as it is due.
func (c *Change) copyPart(out, img *imageio.Image) {
	x1, x2 := max(0, c.X), min(img.W, c.X+c.W) // of the picture
	if c.fill != 0 && (c.X < 0 || c.Y < 0 || c.X+c.W > img.W || c.Y+c.H > img.H) {
		for i := range out.Pix {
			out.Pix[i] = c.fill
		}
	}
	for y := range c.H {
		sy := c.Y + y
		if c.FlipY {
			sy = c.Y + c.H - 1 - y
		}
		if sy < 0 || sy >= img.H || x1 >= x2 {
			continue
		}
		src := img.Pix[(sy*img.W+x1)*3 : (sy*img.W+x2)*3]
		if !c.FlipX {
			copy(out.Pix[(y*c.W+x1-c.X)*3:], src)
			continue
		}
		at := (y*c.W + c.W - 1 - (x1 - c.X)) * 3
		for i := 0; i+2 < len(src); i, at = i+3, at-3 {
			out.Pix[at], out.Pix[at+1], out.Pix[at+2] = src[i], src[i+1], src[i+2]
		}
	}
}

// warp resamples between two by two pixels, whose middles are at halves; outside the
// picture lies the fill colour.
func (c *Change) warp(out, img *imageio.Image) {
	m := c.source()
	w, h := float64(img.W), float64(img.H)
	const one = 1 << 8 // weights are in 256ths
	dx, dy := m[0]*w/float64(c.W)*one, m[3]*h/float64(c.W)*one
	for y := range c.H {
		u, v := 0.5/float64(c.W), (float64(y)+0.5)/float64(c.H)
		fx, fy := ((m[0]*u+m[1]*v+m[2])*w-0.5)*one, ((m[3]*u+m[4]*v+m[5])*h-0.5)*one
		row := out.Pix[y*c.W*3 : (y+1)*c.W*3]
		for i := 0; i+2 < len(row); i, fx, fy = i+3, fx+dx, fy+dy {
			px, py := int(math.Floor(fx+0.5)), int(math.Floor(fy+0.5))
			x, y := px>>8, py>>8
			ax, ay := px&(one-1), py&(one-1)
			if x >= 0 && y >= 0 && x+1 < img.W && y+1 < img.H {
				a := img.Pix[(y*img.W+x)*3:][:6:6]
				b := img.Pix[((y+1)*img.W+x)*3:][:6:6]
				for k := range 3 {
					top := int(a[k])*(one-ax) + int(a[k+3])*ax
					low := int(b[k])*(one-ax) + int(b[k+3])*ax
					row[i+k] = uint8((top*(one-ay) + low*ay + one*one/2) >> 16)
				}
				continue
			}
			for k := range 3 {
				top := c.level(img, x, y, k)*(one-ax) + c.level(img, x+1, y, k)*ax
				low := c.level(img, x, y+1, k)*(one-ax) + c.level(img, x+1, y+1, k)*ax
				row[i+k] = uint8((top*(one-ay) + low*ay + one*one/2) >> 16)
			}
		}
	}
}

// level returns a pixel's channel, or the fill colour outside.
func (c *Change) level(img *imageio.Image, x, y, k int) int {
	if x < 0 || y < 0 || x >= img.W || y >= img.H {
		return int(c.fill)
	}
	return int(img.Pix[(y*img.W+x)*3+k])
}

// Mask returns the mask changed as the picture: the nearest pixel's class, outside
// masks.IgnoreValue. It may have other pixels than the picture.
func (c *Change) Mask(m *masks.Mask) *masks.Mask {
	out := &masks.Mask{}
	out.W, out.H = c.full(m.W, m.H)
	out.Pix = make([]uint8, out.W*out.H)
	t := c.source()
	w, h := float64(m.W), float64(m.H)
	for y := range out.H {
		v := (float64(y) + 0.5) / float64(out.H)
		for x := range out.W {
			u := (float64(x) + 0.5) / float64(out.W)
			sx, sy := int(math.Floor((t[0]*u+t[1]*v+t[2])*w)), int(math.Floor((t[3]*u+t[4]*v+t[5])*h))
			if sx < 0 || sy < 0 || sx >= m.W || sy >= m.H {
				out.Pix[y*out.W+x] = masks.IgnoreValue
				continue
			}
			out.Pix[y*out.W+x] = m.Pix[sy*m.W+sx]
		}
	}
	return out
}

// Boxes returns the boxes of a picture of w×h full pixels around what they hold in the
// changed picture, cut at its edge, in its full pixels. A box of which less than the
// plan's MinBox is left is dropped, with its class.
func (c *Change) Boxes(boxes []geom.Box, classes []int, w, h float64) ([]geom.Box, []int) {
	var out []geom.Box
	var kept []int
	fw, fh := c.full(int(w), int(h))
	m := invert(c.source())
	for i, class := range classes[:len(boxes)] {
		b := boxes[i]
		x1, y1, x2, y2 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, p := range [4][2]float32{{b.X1, b.Y1}, {b.X2, b.Y1}, {b.X2, b.Y2}, {b.X1, b.Y2}} {
			x, y := float64(p[0])/w, float64(p[1])/h
			u, v := (m[0]*x+m[1]*y+m[2])*float64(fw), (m[3]*x+m[4]*y+m[5])*float64(fh)
			x1, y1, x2, y2 = min(x1, u), min(y1, v), max(x2, u), max(y2, v)
		}
		whole := geom.Box{X1: float32(x1), Y1: float32(y1), X2: float32(x2), Y2: float32(y2)}
		seen := whole.Clip(float32(fw), float32(fh))
		if a := seen.Area(); a <= 0 || float64(a) < c.minBox*float64(whole.Area()) {
			continue
		}
		out, kept = append(out, seen), append(kept, class)
	}
	return out, kept
}

// invert returns the inverse of an affine map.
func invert(m [6]float64) [6]float64 {
	d := m[0]*m[4] - m[1]*m[3]
	a, b, e, f := m[4]/d, -m[1]/d, -m[3]/d, m[0]/d
	return [6]float64{a, b, -(a*m[2] + b*m[5]), e, f, -(e*m[2] + f*m[5])}
}
