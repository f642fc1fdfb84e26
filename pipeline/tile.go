package pipeline

import (
	"fmt"
	"math"

	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/tensor"
)

// Tile shows the model parts of a large image, one after the other, which overlap: small
// things keep their size. It is the last step. What the answers come to is the business of
// packages detect, segment and classify. Parts are as far apart as they can be, the last
// ones end with the image; a side that is shorter is one part.
type Tile struct {
	Width   int `yaml:"width"` // pixels, 32 to 8192
	Height  int `yaml:"height"`
	Overlap int `yaml:"overlap"` // pixels, at least; at most half of a side
	// Whole shows the model the whole image as well, for what is larger than a part.
	Whole bool `yaml:"whole,omitempty"`
}

// maxTiles bounds the parts of an image, each of which is a run of the model.
const maxTiles = 256

func (t *Tile) check() error {
	for _, side := range []struct {
		name string
		n    int
	}{{"width", t.Width}, {"height", t.Height}} {
		if err := within(side.name, float64(side.n), 32, 8192); err != nil {
			return err
		}
	}
	return within("overlap", float64(t.Overlap), 0, float64(min(t.Width, t.Height)/2))
}

// apply changes nothing: the image is cut by Transform.Tiles.
func (t *Tile) apply(*work) error { return nil }

// tile returns the step that cuts the image into parts, or nil.
func (s Spec) tile() *Tile {
	if len(s.Steps) == 0 {
		return nil
	}
	t, _ := s.Steps[len(s.Steps)-1].Op.(*Tile)
	return t
}

// Tiled reports whether the model is shown parts of the image.
func (s Spec) Tiled() bool { return s.tile() != nil }

// AndWhole reports whether the model is shown the whole image beside its parts.
func (s Spec) AndWhole() bool {
	t := s.tile()
	return t != nil && t.Whole
}

// Part is a part of an image as a model is shown it.
type Part struct {
	X       *tensor.Tensor // the model's input; give it back with Recycle
	Mapping Mapping        // takes what is found in it to the upright image
	All     Mapping        // of the whole image, for planes of it: Straight and Upright

	// What a part of several has to say of a mask, in whole pixels of the image as steps turned
	// it; empty for Whole. Reach is where it has a say, Sole where it alone has: between the two
	// it fades out as its neighbour fades in. The sides of Core are in the middle of that; those
	// of all parts cover the image once.
	Reach, Sole, Core geom.Box
	Column            int // of the parts, from 0, which come row by row

	Whole bool     // it is all of the image, beside its parts
	Tile  geom.Box // where it lies in the image after steps

	// Cut is where the part ends, in pixels of the upright image; sides where the image
	// ends too are far outside.
	Cut geom.Box
}

// Parts calls f with each part of an image: one that is all of it, where there is no step
// tile. The tensors are f's. What f says ends it.
func (t *Transform) Parts(img *imageio.Image, f func(Part) error) error {
	if err := checkImage(img); err != nil {
		return err
	}
	after, way, err := t.Steps(img)
	if err != nil {
		return err
	}
	step := t.spec.tile()
	if step == nil {
		x, m, err := t.Fit(after)
		if err != nil {
			return err
		}
		if len(t.spec.Steps) > 0 {
			m = m.Through(way)
		}
		return f(Part{X: x, Mapping: m, All: m, Cut: nowhere})
	}
	across, down := cuts(after.W, step.Width, step.Overlap), cuts(after.H, step.Height, step.Overlap)
	if n := len(across) * len(down); n > maxTiles {
		return &trilobite.Error{Op: "pipeline", Code: trilobite.Invalid, Msg: fmt.Sprintf(
			"Preprocessing step tile cuts an image of %d×%d pixels into %d parts; %d are allowed: make them larger, or resize first.", after.W, after.H, n, maxTiles)}
	}
	for _, y := range down {
		for i, x := range across {
			p, err := t.part(after, way, x, y)
			if err != nil {
				return err
			}
			p.Column = i
			if err := f(p); err != nil {
				return err
			}
		}
	}
	if !step.Whole || len(across)*len(down) == 1 {
		return nil
	}
	x, m, err := t.Fit(after)
	if err != nil {
		return err
	}
	return f(Part{X: x, Mapping: m.Through(way), Whole: true, Cut: nowhere})
}

// part makes a part of the image after steps.
func (t *Transform) part(after *imageio.Image, way Way, x, y span) (Part, error) {
	w, h := x.to-x.from, y.to-y.from
	pixels, err := after.Crop(x.from, y.from, w, h)
	if err != nil {
		return Part{}, err
	}
	p := Part{All: Mapping{}.Through(way), Tile: geom.Box{X1: float32(x.from), Y1: float32(y.from), X2: float32(x.to), Y2: float32(y.to)}}
	x1, x2 := x.fading(after.W)
	y1, y2 := y.fading(after.H)
	p.Core = way.turned(x.core, y.core, x.coreEnd, y.coreEnd)
	p.Reach = way.turned(x.core-x1, y.core-y1, x.coreEnd+x2, y.coreEnd+y2)
	p.Sole = way.turned(x.core+x1, y.core+y1, x.coreEnd-x2, y.coreEnd-y2)
	some := way
	some.frame, some.w, some.h = way.frame.scaled(p.Tile, 0, 0, w, h), w, h
	var m Mapping
	if p.X, m, err = t.Fit(pixels); err != nil {
		return Part{}, err
	}
	p.Mapping, p.Cut = m.Through(some), some.limits(way)
	return p, nil
}

// turned returns a box of the image after steps in whole pixels of the image as steps
// turned it, at its full size.
func (w Way) turned(x1, y1, x2, y2 int) geom.Box {
	f := w.frame
	at := func(x int, s, d, n float64) float32 { return float32(max(0, min(n, math.Round(float64(x)*s+d)))) }
	return geom.Box{X1: at(x1, f.sx, f.dx, f.w), Y1: at(y1, f.sy, f.dy, f.h), X2: at(x2, f.sx, f.dx, f.w), Y2: at(y2, f.sy, f.dy, f.h)}
}

const far = math.MaxFloat32

// nowhere is Part.Cut of what is not cut.
var nowhere = geom.Box{X1: -far, Y1: -far, X2: far, Y2: far}

// limits returns where a part of whole ends, in pixels of the upright image; sides where
// whole ends too are far outside.
func (w Way) limits(whole Way) geom.Box {
	in, all := w.frame.seen, whole.frame.seen
	f := w.frame
	x1, y1 := f.turn.back(float64(in.X1), float64(in.Y1), f.w, f.h)
	x2, y2 := f.turn.back(float64(in.X2), float64(in.Y2), f.w, f.h)
	ax1, ay1 := f.turn.back(float64(all.X1), float64(all.Y1), f.w, f.h)
	ax2, ay2 := f.turn.back(float64(all.X2), float64(all.Y2), f.w, f.h)
	b := geom.Box{X1: float32(min(x1, x2)), Y1: float32(min(y1, y2)), X2: float32(max(x1, x2)), Y2: float32(max(y1, y2))}
	a := geom.Box{X1: float32(min(ax1, ax2)), Y1: float32(min(ay1, ay2)), X2: float32(max(ax1, ax2)), Y2: float32(max(ay1, ay2))}
	if b.X1 <= a.X1 {
		b.X1 = -far
	}
	if b.Y1 <= a.Y1 {
		b.Y1 = -far
	}
	if b.X2 >= a.X2 {
		b.X2 = far
	}
	if b.Y2 >= a.Y2 {
		b.Y2 = far
	}
	return b
}

// InPart returns the mapping for a box of whole pixels of the image as steps turned it,
// which is taken for an image of its own: a mask of it alone is made by this.
func (m Mapping) InPart(b geom.Box) Mapping {
	m = m.Straight()
	m.dx, m.dy = m.dx-b.X1, m.dy-b.Y1
	m.w, m.h = b.X2-b.X1, b.Y2-b.Y1
	return m
}
