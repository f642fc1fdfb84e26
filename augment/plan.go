// Package augment changes a picture and what is known of it together, so that a model
// sees more than the data set has: flips, other sizes, parts, turns and colours.
//
// A Plan declares what may happen, in words that a model's file can hold. Draw decides by
// a seed what does happen to one picture; the same seed always decides the same, and
// nothing else has a say. The Change that it returns is carried out on the picture, on a
// mask and on boxes. Flips and parts copy pixels; only a turn or an enlarged canvas
// resamples, once. Fitting to the model's input is package pipeline's, afterwards.
//
// Start at Plan, then Draw in draw.go.
package augment

import (
	"errors"
	"fmt"
	"math"
)

// Plan is what may happen to a picture. The zero value changes nothing. The YAML keys are
// those of model files.
type Plan struct {
	HorizontalFlip float64 `yaml:"horizontal_flip,omitempty" range:"0,1" doc:"probability of mirroring left and right"`       // probability, 0 to 1
	VerticalFlip   float64 `yaml:"vertical_flip,omitempty" range:"0,1" doc:"probability of turning upside down by mirroring"` // probability, 0 to 1

	// Scale is the range of the factor by which the picture is enlarged, from 0.1 to 10,
	// the lower end first. Above 1 a part of it is seen, below 1 it lies on a larger
	// canvas, in both cases at a place drawn by chance. Not together with Area.
	Scale []float64 `yaml:"scale,omitempty,flow" range:"0.1,10" doc:"smallest and largest factor of size; above 1 a part is seen"`
	// Area is the range of the share of the picture that is seen, above 0 to 1, and
	// Aspect, 3/4 to 4/3 where it is empty, that of the part's proportions, width by
	// height, as torchvision's RandomResizedCrop draws them.
	Area   []float64 `yaml:"area,omitempty,flow" range:"0.01,1" doc:"smallest and largest share of the picture that is seen, in place of scale"`
	Aspect []float64 `yaml:"aspect,omitempty,flow" range:"0.1,10" doc:"smallest and largest proportion of that part, width by height; 3/4 to 4/3"`

	Rotate float64 `yaml:"rotate,omitempty" range:"0,180" doc:"most degrees to either side"` // degrees to either side at most, 0 to 180

	// Factors are drawn from 1−x to 1+x, not below 0; Hue is turned by up to ±x, 0 to 0.5,
	// of the circle; as torchvision's ColorJitter.
	Brightness float64 `yaml:"brightness,omitempty" range:"0,10" doc:"factors from 1−x to 1+x"`
	Contrast   float64 `yaml:"contrast,omitempty" range:"0,10" doc:"factors from 1−x to 1+x"`
	Saturation float64 `yaml:"saturation,omitempty" range:"0,10" doc:"factors from 1−x to 1+x"`
	Hue        float64 `yaml:"hue,omitempty" range:"0,0.5" doc:"most turn of the colour circle to either side"`

	// MinBox is the share of a box's area that must still be seen for it to stay, 0 to 1;
	// 0 means 0.25.
	MinBox float64 `yaml:"min_box,omitempty" range:"0,1" doc:"share of a box that must still be seen; 0: 0.25"`
	// Fill is the level, 0 to 255, of all channels outside the picture.
	Fill int `yaml:"fill,omitempty" range:"0,255" doc:"level of all channels outside the picture"`
}

const defaultMinBox = 0.25

// Validate reports the first field that is wrong, by its YAML name.
func (p Plan) Validate() error {
	for _, f := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"horizontal_flip", p.HorizontalFlip, 0, 1},
		{"vertical_flip", p.VerticalFlip, 0, 1},
		{"rotate", p.Rotate, 0, 180},
		{"brightness", p.Brightness, 0, 10},
		{"contrast", p.Contrast, 0, 10},
		{"saturation", p.Saturation, 0, 10},
		{"hue", p.Hue, 0, 0.5},
		{"min_box", p.MinBox, 0, 1},
		{"fill", float64(p.Fill), 0, 255},
	} {
		if !(f.v >= f.lo && f.v <= f.hi) {
			return fmt.Errorf("augmentation: %s is %v, want %v to %v", f.name, f.v, f.lo, f.hi)
		}
	}
	for _, r := range []struct {
		name   string
		v      []float64
		lo, hi float64
	}{
		{"scale", p.Scale, 0.1, 10},
		{"area", p.Area, 0.01, 1},
		{"aspect", p.Aspect, 0.1, 10},
	} {
		if len(r.v) == 0 {
			continue
		}
		if len(r.v) != 2 || !(r.lo <= r.v[0] && r.v[0] <= r.v[1] && r.v[1] <= r.hi) {
			return fmt.Errorf("augmentation: %s is %v, want two numbers from %v to %v, the lower first", r.name, r.v, r.lo, r.hi)
		}
	}
	switch {
	case len(p.Scale) > 0 && len(p.Area) > 0:
		return errors.New("augmentation: scale and area both say what part is seen; leave one out")
	case len(p.Aspect) > 0 && len(p.Area) == 0:
		return errors.New("augmentation: aspect needs area")
	}
	return nil
}

// Nothing reports whether the plan leaves every picture as it is.
func (p Plan) Nothing() bool {
	return p.HorizontalFlip == 0 && p.VerticalFlip == 0 && len(p.Scale) == 0 && len(p.Area) == 0 && p.Rotate == 0 && !p.Colors()
}

// Colors reports whether the plan changes colours.
func (p Plan) Colors() bool {
	return p.Brightness > 0 || p.Contrast > 0 || p.Saturation > 0 || p.Hue > 0
}

// Zoom returns the largest factor by which a part of the picture may be enlarged: how
// many times the pixels that the model needs should be decoded.
func (p Plan) Zoom() float64 {
	switch {
	case len(p.Scale) > 0:
		return max(1, p.Scale[1])
	case len(p.Area) > 0:
		return 1 / math.Sqrt(p.Area[0])
	}
	return 1
}
