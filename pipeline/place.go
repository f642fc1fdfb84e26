package pipeline

import (
	"fmt"
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

// centreCrop returns the part of the image that torchvision's Resize(shorter side)
// and CenterCrop keep: the resized image has whole pixels, longer side rounded down,
// and the crop begins at a whole one, halves rounded to even as Python does. The crop
// is taken from the image itself, so that it is resized once and alone.
// Source: torchvision/transforms/functional.py, _compute_resized_output_size and
// center_crop.
func (s Spec) centreCrop(iw, ih int) geom.Box {
	keep := float64(s.Crop)
	if keep == 0 {
		keep = 1
	}
	cw, ch := math.Round(float64(s.Width)/keep), math.Round(float64(s.Height)/keep)
	rw, rh := cw, ch // the size of the whole image when resized
	if float64(iw)*ch > float64(ih)*cw {
		rw = math.Floor(ch * float64(iw) / float64(ih))
	} else {
		rh = math.Floor(cw * float64(ih) / float64(iw))
	}
	left, top := math.RoundToEven((rw-float64(s.Width))/2), math.RoundToEven((rh-float64(s.Height))/2)
	sx, sy := float64(iw)/rw, float64(ih)/rh
	return geom.Box{
		X1: float32(left * sx), Y1: float32(top * sy),
		X2: float32((left + float64(s.Width)) * sx), Y2: float32((top + float64(s.Height)) * sy),
	}.Clip(float32(iw), float32(ih))
}

// Mapping takes boxes from a model's input to the upright image at its full size.
type Mapping struct {
	sx, sy, dx, dy float32
	w, h           float32 // of the full image
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

// ToImage takes a box in pixels of the model's input to pixels of the upright image
// and cuts it at the image's edge. A box in the letterbox's margin comes back empty.
func (m Mapping) ToImage(b geom.Box) geom.Box {
	return geom.Box{
		X1: b.X1*m.sx + m.dx, Y1: b.Y1*m.sy + m.dy,
		X2: b.X2*m.sx + m.dx, Y2: b.Y2*m.sy + m.dy,
	}.Clip(m.w, m.h)
}

// Size returns the full size of the image, pixels.
func (m Mapping) Size() (w, h float32) { return m.w, m.h }

func checkImage(img *imageio.Image) error {
	if img == nil || img.W < 1 || img.H < 1 || len(img.Pix) != 3*img.W*img.H || img.FullW < 1 || img.FullH < 1 {
		return fmt.Errorf("preprocessing: the image has no pixels")
	}
	return nil
}
