package pipeline

import (
	"errors"

	"trilobite/geom"
	"trilobite/imageio"
)

// Way leads between the upright image at its full size and what steps made of it. A
// training needs it by itself, for it changes pictures between the two.
type Way struct {
	frame frame
	w, h  int // of the image after steps
}

// Steps returns the image after the steps, before it is fitted to the model's input, and
// the way there. It may share its pixels with img, which has them behind it where it was
// decoded by the options of Loading.
func (t *Transform) Steps(img *imageio.Image) (*imageio.Image, Way, error) {
	if err := checkImage(img); err != nil {
		return nil, Way{}, err
	}
	if img.Steps != nil {
		w, ok := img.Steps.(*work)
		if !ok || w.of != t {
			return nil, Way{}, errors.New("preprocessing: the image was decoded for another model")
		}
		after, way := w.after(img)
		return after, way, nil
	}
	if len(t.spec.Steps) == 0 {
		return img, Way{newFrame(img.W, img.H, img.FullW, img.FullH), img.W, img.H}, nil
	}
	flow, err := img.Flow()
	if err != nil {
		return nil, Way{}, err
	}
	defer flow.Close()
	w := &work{of: t}
	if err := w.Run(flow); err != nil {
		return nil, Way{}, err
	}
	after, err := flow.Pixels()
	if err != nil {
		return nil, Way{}, err
	}
	own, way := w.after(after)
	return own, way, nil
}

// after takes what the steps have made of an image for an image of its own.
func (w *work) after(img *imageio.Image) (*imageio.Image, Way) {
	own := *img // it may be the caller's
	own.FullW, own.FullH, own.Steps = own.W, own.H, nil
	return &own, Way{w.frame, own.W, own.H}
}

// Point takes a point of the image after steps, in shares of its sides, to the upright
// image, in shares of its sides.
func (w Way) Point(u, v float64) (x, y float64) {
	f := w.frame
	x, y = f.turn.back(u*float64(w.w)*f.sx+f.dx, v*float64(w.h)*f.sy+f.dy, f.w, f.h)
	fw, fh := w.full()
	return x / fw, y / fh
}

// full returns the size of the upright image.
func (w Way) full() (float64, float64) {
	if w.frame.turn.Transpose {
		return w.frame.h, w.frame.w
	}
	return w.frame.w, w.frame.h
}

// Seen returns what crops left of the upright image, in shares of its sides.
func (w Way) Seen() (x1, y1, x2, y2 float64) {
	f := w.frame
	x1, y1 = f.turn.back(float64(f.seen.X1), float64(f.seen.Y1), f.w, f.h)
	x2, y2 = f.turn.back(float64(f.seen.X2), float64(f.seen.Y2), f.w, f.h)
	fw, fh := w.full()
	return min(x1, x2) / fw, min(y1, y2) / fh, max(x1, x2) / fw, max(y1, y2) / fh
}

// Box takes a box in pixels of the upright image to pixels of the image after steps,
// where it may lie outside. What a crop has cut off inside of margins is cut off the box.
func (w Way) Box(b geom.Box) geom.Box {
	f := w.frame
	x1, y1 := f.turn.point(float64(b.X1), float64(b.Y1), f.w, f.h)
	x2, y2 := f.turn.point(float64(b.X2), float64(b.Y2), f.w, f.h)
	to := func(x, y float64) (float32, float32) { return float32((x - f.dx) / f.sx), float32((y - f.dy) / f.sy) }
	var out, seen geom.Box
	out.X1, out.Y1 = to(min(x1, x2), min(y1, y2))
	out.X2, out.Y2 = to(max(x1, x2), max(y1, y2))
	seen.X1, seen.Y1 = to(float64(f.seen.X1), float64(f.seen.Y1))
	seen.X2, seen.Y2 = to(float64(f.seen.X2), float64(f.seen.Y2))
	const inside = 0.5 // a pixel: where the image itself ends, whoever cuts it knows by how much
	if seen.X1 > inside || seen.Y1 > inside || seen.X2 < float32(w.w)-inside || seen.Y2 < float32(w.h)-inside {
		out.X1, out.Y1, out.X2, out.Y2 = max(out.X1, seen.X1), max(out.Y1, seen.Y1), min(out.X2, seen.X2), min(out.Y2, seen.Y2)
	}
	return out
}

// Through leads a mapping to the image after steps back to the upright image.
func (m Mapping) Through(w Way) Mapping { return m.through(w.frame) }
