package pipeline

import (
	"errors"
	"math"

	"trilobite/geom"
	"trilobite/imageio"
)

// placement says which part of an image becomes which part of the input.
type placement struct {
	from       geom.Box // in the pixels of the decoded image
	x, y, w, h int      // in the input, whole pixels
}

// place fits an image of iw×ih pixels to the input.
func (s Spec) place(iw, ih int) placement {
	all := geom.Box{X2: float32(iw), Y2: float32(ih)}
	switch s.Resize {
	case CentreCrop:
		return placement{from: s.centreCrop(iw, ih), w: s.Width, h: s.Height}
	case Letterbox:
		scale := min(float64(s.Width)/float64(iw), float64(s.Height)/float64(ih))
		w := clamp(int(math.Round(float64(iw)*scale)), s.Width)
		h := clamp(int(math.Round(float64(ih)*scale)), s.Height)
		p := placement{from: all, w: w, h: h}
		if s.Align != Corner {
			p.x, p.y = (s.Width-w)/2, (s.Height-h)/2
		}
		return p
	default:
		return placement{from: all, w: s.Width, h: s.Height}
	}
}

func clamp(n, most int) int { return max(1, min(n, most)) }

// centreCrop returns the part of the image that is seen: the largest centred one with
// the input's proportions, times Crop, its sides whole pixels, rounded down. For a
// square input it is TensorFlow's central crop of EfficientNet's evaluation, but exactly
// in the middle where TensorFlow's may be half a pixel off it. torchvision's Resize and
// CenterCrop see the same part but for their rounding of the resized image's sides.
// Source: tensorflow/tpu, models/official/efficientnet/preprocessing.py,
// _decode_and_center_crop.
func (s Spec) centreCrop(iw, ih int) geom.Box {
	keep := float64(s.Crop)
	if keep == 0 {
		keep = 1
	}
	scale := min(float64(iw)/float64(s.Width), float64(ih)/float64(s.Height)) * keep
	const whole = 1e-3 // Crop is a float32: 252 must not become 251.99999
	w := max(1, math.Floor(float64(s.Width)*scale+whole))
	h := max(1, math.Floor(float64(s.Height)*scale+whole))
	left, top := (float64(iw)-w)/2, (float64(ih)-h)/2
	return geom.Box{
		X1: float32(left), Y1: float32(top), X2: float32(left + w), Y2: float32(top + h),
	}.Clip(float32(iw), float32(ih))
}

// Mapping takes boxes from a model's input to the upright image at its full size.
type Mapping struct {
	sx, sy, dx, dy float32 // to the turned image
	w, h           float32 // of the full image
	turn           turn    // of steps, from the full image
	seen           geom.Box
	cropped        bool // seen, in the turned image, is not all of it
}

func newMapping(p placement, img *imageio.Image) Mapping {
	fx, fy := float32(img.FullW)/float32(img.W), float32(img.FullH)/float32(img.H)
	m := Mapping{w: float32(img.FullW), h: float32(img.FullH)}
	m.sx = (p.from.X2 - p.from.X1) / float32(p.w) * fx
	m.sy = (p.from.Y2 - p.from.Y1) / float32(p.h) * fy
	m.dx = p.from.X1*fx - float32(p.x)*m.sx
	m.dy = p.from.Y1*fy - float32(p.y)*m.sy
	return m
}

// through leads a mapping to the image after steps back through them.
func (m Mapping) through(f frame) Mapping {
	m.dx, m.dy = float32(float64(m.dx)*f.sx+f.dx), float32(float64(m.dy)*f.sy+f.dy)
	m.sx, m.sy = float32(float64(m.sx)*f.sx), float32(float64(m.sy)*f.sy)
	m.w, m.h, m.turn, m.seen = float32(f.w), float32(f.h), f.turn, f.seen
	m.cropped = f.seen != geom.Box{X2: m.w, Y2: m.h}
	if f.turn.Transpose {
		m.w, m.h = m.h, m.w
	}
	return m
}

// turned returns the size of the turned image.
func (m Mapping) turned() (w, h float64) {
	if m.turn.Transpose {
		return float64(m.h), float64(m.w)
	}
	return float64(m.w), float64(m.h)
}

// ToImage takes a box in pixels of the model's input to pixels of the upright image
// and cuts it at the image's edge. A box in the letterbox's margin comes back empty.
func (m Mapping) ToImage(b geom.Box) geom.Box {
	b = geom.Box{
		X1: b.X1*m.sx + m.dx, Y1: b.Y1*m.sy + m.dy,
		X2: b.X2*m.sx + m.dx, Y2: b.Y2*m.sy + m.dy,
	}
	if m.turn == (turn{}) {
		return b.Clip(m.w, m.h)
	}
	tw, th := m.turned()
	x1, y1 := m.turn.back(float64(b.X1), float64(b.Y1), tw, th)
	x2, y2 := m.turn.back(float64(b.X2), float64(b.Y2), tw, th)
	return geom.Box{
		X1: float32(min(x1, x2)), Y1: float32(min(y1, y2)), X2: float32(max(x1, x2)), Y2: float32(max(y1, y2)),
	}.Clip(m.w, m.h)
}

// FromImage takes a point of the upright image to pixels of the model's input; one that
// the model does not see comes to lie outside.
func (m Mapping) FromImage(x, y float64) (float64, float64) {
	tw, th := m.turned()
	x, y = m.turn.point(x, y, tw, th)
	return (x - float64(m.dx)) / float64(m.sx), (y - float64(m.dy)) / float64(m.sy)
}

// Point takes a point of the model's input to the upright image, and not to its edge where
// it lies outside.
func (m Mapping) Point(x, y float64) (ix, iy float64) {
	tw, th := m.turned()
	return m.turn.back(x*float64(m.sx)+float64(m.dx), y*float64(m.sy)+float64(m.dy), tw, th)
}

// Size returns the full size of the image, pixels.
func (m Mapping) Size() (w, h float32) { return m.w, m.h }

// Straight returns the mapping to the image as steps turned it: x and y map each by
// itself. A plane of that image is taken back to the upright one by Upright.
func (m Mapping) Straight() Mapping {
	tw, th := m.turned()
	m.w, m.h, m.turn = float32(tw), float32(th), turn{}
	return m
}

// Upright takes planes of bytes, of the size of m.Straight, to the upright image, and
// makes 0 what the model did not see for a crop. Where there is nothing to do, they come
// back as they are.
func (m Mapping) Upright(planes ...[]uint8) {
	if !m.cropped && m.turn == (turn{}) {
		return
	}
	tw, th := m.turned()
	w, h, line := int(m.w), int(m.h), int(tw)
	for _, p := range planes {
		if len(p) != w*h {
			continue
		}
		src := append([]uint8(nil), p...)
		for y := range h {
			for x := range w {
				tx, ty := m.turn.point(float64(x)+0.5, float64(y)+0.5, tw, th)
				p[y*w+x] = 0
				if !m.cropped || tx >= float64(m.seen.X1) && tx < float64(m.seen.X2) && ty >= float64(m.seen.Y1) && ty < float64(m.seen.Y2) {
					p[y*w+x] = src[int(ty)*line+int(tx)]
				}
			}
		}
	}
}

func checkImage(img *imageio.Image) error {
	if img == nil || img.W < 1 || img.H < 1 || len(img.Pix) != 3*img.W*img.H || img.FullW < 1 || img.FullH < 1 {
		return errors.New("preprocessing: the image has no pixels")
	}
	return nil
}
