// Package pipeline turns an image into the tensor that a model was trained on.
//
// A Spec declares the steps (fit to the input size, normalise, lay out) in words that
// a model's card can hold, so that training and serving cannot drift apart. Compile
// makes a Transform of it, which does the work; its Mapping takes boxes back to the
// image. Steps of a pipeline file (Parse, step.go) change the image before, while it is
// decoded where Loading says so to imageio (loading.go), and the mapping leads back through
// them (frame.go). Decoding, colour profiles and orientation are imageio's.
//
// Start at Spec, then Transform.Apply; tile.go shows the model parts of an image.
package pipeline

import (
	"fmt"
	"math"
	"slices"

	"trilobite/imageio"
)

// Spec declares a model's preprocessing. The YAML keys are those of model cards.
type Spec struct {
	Width  int `yaml:"width"` // of the model's input, pixels
	Height int `yaml:"height"`

	// Resize fits the image to the input: "exact" stretches it (the default),
	// "centre-crop" covers the input and cuts what hangs over, "letterbox" fits the
	// image inside and fills the rest.
	Resize string `yaml:"resize,omitempty"`
	// Crop is centre-crop's share of the resized image that is kept, along the side
	// that limits: 0.875 resizes the shorter side to 256 for an input of 224. 0 means 1.
	Crop float32 `yaml:"crop,omitempty"`
	// Fill is letterbox's colour, all channels, 0 to 255.
	Fill int `yaml:"fill,omitempty"`
	// Align is where letterbox puts the image: "centre" (the default) or "corner", the
	// upper left one.
	Align  string         `yaml:"align,omitempty"`
	Filter imageio.Filter `yaml:"filter"`

	// Mean and Std normalise channels, (x − mean) / std with x from 0 to 255: one value
	// for all or three in the order of RGB, whatever Order says. Empty is 0 and 1.
	Mean []float32 `yaml:"mean,omitempty,flow"`
	Std  []float32 `yaml:"std,omitempty,flow"`

	// Steps change the image first, at its full size.
	Steps []Step `yaml:"steps,omitempty" doc:"changes of the picture before it is fitted to the input, in their order; docs/pipelines.md lists them"`

	Layout string `yaml:"layout,omitempty"` // "nchw" (the default) or "nhwc"
	Order  string `yaml:"order,omitempty"`  // "rgb" (the default) or "bgr"
}

// The words of a Spec.
const (
	Exact      = "exact"
	CentreCrop = "centre-crop"
	Letterbox  = "letterbox"

	Centre = "centre"
	Corner = "corner"

	NCHW = "nchw"
	NHWC = "nhwc"

	RGB = "rgb"
	BGR = "bgr"
)

// maxSide bounds an input's sides; 4096² in float32 is 200 MB.
const maxSide = 4096

// Validate reports the first field that is wrong, by its YAML name.
func (s Spec) Validate() error {
	for _, side := range []struct {
		name string
		n    int
	}{{"width", s.Width}, {"height", s.Height}} {
		if side.n < 1 || side.n > maxSide {
			return fmt.Errorf("preprocessing: %s is %d, want 1 to %d", side.name, side.n, maxSide)
		}
	}
	for _, word := range []struct {
		name, got string
		want      []string // the first is the default
	}{
		{"resize", s.Resize, []string{Exact, CentreCrop, Letterbox}},
		{"align", s.Align, []string{Centre, Corner}},
		{"layout", s.Layout, []string{NCHW, NHWC}},
		{"order", s.Order, []string{RGB, BGR}},
	} {
		if !oneOf(word.got, word.want) {
			return fmt.Errorf("preprocessing: %s is %q, want one of %q", word.name, word.got, word.want)
		}
	}
	if !(s.Crop >= 0 && s.Crop <= 1) {
		return fmt.Errorf("preprocessing: crop is %v, want 0 to 1", s.Crop)
	}
	if s.Fill < 0 || s.Fill > 255 {
		return fmt.Errorf("preprocessing: fill is %d, want 0 to 255", s.Fill)
	}
	if _, err := imageio.ParseFilter(s.Filter.String()); err != nil {
		return fmt.Errorf("preprocessing: %w", err)
	}
	if err := validateSteps(s.Steps); err != nil {
		return err
	}
	return s.validateNormalisation()
}

// ForMask reports why a mask of the whole image cannot be made of what the model sees.
func (s Spec) ForMask() error {
	if s.Resize == CentreCrop {
		return fmt.Errorf("preprocessing: resize is %q, a mask of the whole image needs %q or %q", s.Resize, Exact, Letterbox)
	}
	if s.AndWhole() {
		return fmt.Errorf("preprocessing: steps: line %d: tile: whole is for boxes and classes; the pixels of a mask are its tiles'", s.Steps[len(s.Steps)-1].Line)
	}
	return nil
}

func (s Spec) validateNormalisation() error {
	for _, list := range []struct {
		name string
		v    []float32
	}{{"mean", s.Mean}, {"std", s.Std}} {
		if n := len(list.v); n != 0 && n != 1 && n != 3 {
			return fmt.Errorf("preprocessing: %s has %d values, want 1 or 3", list.name, n)
		}
		for _, x := range list.v {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("preprocessing: %s is %v, want finite numbers", list.name, list.v)
			}
		}
	}
	for _, x := range s.Std {
		if x <= 0 {
			return fmt.Errorf("preprocessing: std is %v, want numbers above 0", s.Std)
		}
	}
	return nil
}

func oneOf(word string, words []string) bool {
	return word == "" || slices.Contains(words, word)
}

// Shape returns the shape of the tensor that Apply makes.
func (s Spec) Shape() []int64 {
	if s.Layout == NHWC {
		return []int64{1, int64(s.Height), int64(s.Width), 3}
	}
	return []int64{1, 3, int64(s.Height), int64(s.Width)}
}

func (s Spec) layout() string {
	if s.Layout == "" {
		return NCHW
	}
	return s.Layout
}
