package pipeline

import (
	"errors"
	"fmt"
	"math"

	"trilobite/geom"
	"trilobite/imageio"
)

// Orient turns the upright image clockwise and then mirrors it.
type Orient struct {
	Turn int    `yaml:"turn,omitempty"` // degrees clockwise: 0, 90, 180 or 270
	Flip string `yaml:"flip,omitempty"` // "horizontal" exchanges left and right, "vertical" top and bottom
}

func (o *Orient) turn() (turn, bool) {
	t, ok := map[int]turn{0: {}, 90: {Transpose: true, Mirror: true}, 180: {Mirror: true, Flip: true}, 270: {Transpose: true, Flip: true}}[o.Turn]
	f, known := map[string]turn{"": {}, "horizontal": {Mirror: true}, "vertical": {Flip: true}}[o.Flip]
	return t.then(f), ok && known
}

func (o *Orient) check() error {
	if _, ok := o.turn(); !ok {
		return fmt.Errorf("turn is %d and flip %.40q; turn is 0, 90, 180 or 270, flip horizontal or vertical", o.Turn, o.Flip)
	}
	return nil
}

func (o *Orient) apply(w *work) error {
	t, _ := o.turn()
	w.frame = w.frame.turned(t, w.flow.W, w.flow.H)
	return w.flow.Turn(imageio.Turn(t))
}

// Crop keeps a part of the image: a box, or so much around the middle.
type Crop struct {
	Box    []int `yaml:"box,omitempty,flow"`    // x1, y1, x2, y2 in pixels; x2 and y2 are the first outside
	Centre []int `yaml:"centre,omitempty,flow"` // width and height, pixels
}

func (c *Crop) check() error {
	switch {
	case len(c.Box) == 4 && c.Centre == nil:
		if b := c.Box; b[0] < 0 || b[1] < 0 || b[2] <= b[0] || b[3] <= b[1] {
			return fmt.Errorf("box %v has no size or lies outside: it is x1, y1, x2, y2 with 0 ≤ x1 < x2 and 0 ≤ y1 < y2", b)
		}
	case len(c.Centre) == 2 && c.Box == nil:
		if c.Centre[0] < 1 || c.Centre[1] < 1 {
			return fmt.Errorf("centre %v has no size", c.Centre)
		}
	default:
		return errors.New("it takes either box with x1, y1, x2, y2 or centre with width, height")
	}
	return nil
}

func (c *Crop) apply(w *work) error {
	if c.Box != nil {
		return w.crop(c.Box[0], c.Box[1], c.Box[2]-c.Box[0], c.Box[3]-c.Box[1])
	}
	return w.crop((w.flow.W-c.Centre[0])/2, (w.flow.H-c.Centre[1])/2, c.Centre[0], c.Centre[1])
}

func (w *work) crop(x, y, cw, ch int) error {
	if x < 0 || y < 0 || cw > w.flow.W-x || ch > w.flow.H-y {
		return fmt.Errorf("%d×%d pixels at %d, %d lie outside of an image of %d×%d", cw, ch, x, y, w.flow.W, w.flow.H)
	}
	w.frame = w.frame.scaled(geom.Box{X1: float32(x), Y1: float32(y), X2: float32(x + cw), Y2: float32(y + ch)}, 0, 0, cw, ch)
	return w.flow.Crop(x, y, cw, ch)
}

// Trim cuts borders off that have the colour of the upper left pixel, give or take
// Threshold levels. An image of one colour stays as it is.
type Trim struct {
	Threshold float64 `yaml:"threshold"` // 0 to 255
}

func (t *Trim) check() error { return within("threshold", t.Threshold, 0, 255) }

func (t *Trim) apply(w *work) error {
	img, err := w.flow.Pixels()
	if err != nil {
		return err
	}
	x, y, cw, ch := img.Content(t.Threshold)
	if cw < 1 || ch < 1 {
		return nil
	}
	return w.crop(x, y, cw, ch)
}

// The modes of Resize beside Exact and Letterbox.
const (
	Fit  = "fit"
	Fill = "fill"
)

// Resize changes the image's size: exact stretches it, fit keeps its proportions within
// the size, fill covers the size and cuts off what hangs over, in whole pixels, letterbox is fit with margins
// of the colour Fill.
type Resize struct {
	Mode   string         `yaml:"mode"`
	Width  int            `yaml:"width"` // pixels, 1 to 16384
	Height int            `yaml:"height"`
	Filter imageio.Filter `yaml:"filter"`
	Fill   int            `yaml:"fill"` // all channels, 0 to 255
}

// maxResized bounds the sides, and maxResizedArea the pixels, of a resized image.
const maxResized, maxResizedArea = 16384, 1 << 26

func (r *Resize) check() error {
	if r.Width < 1 || r.Height < 1 || r.Width > maxResized || r.Height > maxResized || r.Width*r.Height > maxResizedArea {
		return fmt.Errorf("the size is %d×%d; sides are 1 to %d pixels, %d megapixels in all", r.Width, r.Height, maxResized, maxResizedArea>>20)
	}
	if modes := []string{Exact, Fit, Fill, Letterbox}; !oneOf(r.Mode, modes) {
		return fmt.Errorf("mode is %.40q%s", r.Mode, suggest(r.Mode, modes))
	}
	return within("fill", float64(r.Fill), 0, 255)
}

func (r *Resize) apply(w *work) error {
	iw, ih := w.flow.W, w.flow.H
	kx, ky := float64(r.Width)/float64(iw), float64(r.Height)/float64(ih)
	tw, th := r.Width, r.Height
	switch r.Mode {
	case Fit, Letterbox:
		k := min(kx, ky)
		tw, th = clamp(int(math.Round(float64(iw)*k)), r.Width), clamp(int(math.Round(float64(ih)*k)), r.Height)
	case Fill:
		k := max(kx, ky)
		cw, ch := clamp(int(math.Round(float64(r.Width)/k)), iw), clamp(int(math.Round(float64(r.Height)/k)), ih)
		if err := w.crop((iw-cw)/2, (ih-ch)/2, cw, ch); err != nil {
			return err
		}
		iw, ih = cw, ch
	}
	x, y := 0, 0
	if r.Mode == Letterbox {
		x, y = (r.Width-tw)/2, (r.Height-th)/2
	}
	w.frame = w.frame.scaled(geom.Box{X2: float32(iw), Y2: float32(ih)}, x, y, tw, th)
	if err := w.flow.Resize(tw, th, r.Filter); err != nil || r.Mode != Letterbox {
		return err
	}
	return w.flow.Embed(x, y, r.Width, r.Height, r.Fill)
}

// within refuses a number outside of a range, NaN too.
func within(name string, x, low, high float64) error {
	if !(x >= low && x <= high) {
		return fmt.Errorf("%s is %v; it is %v to %v", name, x, low, high)
	}
	return nil
}
