// Package trilobite holds the words of the domain: what is asked of an image, what
// was seen in it, and the errors that callers act on. It knows no wire format, no
// database and no model runtime.
//
// Scores are 0 to 1, boxes are pixel corners of the upright image (EXIF orientation
// applied), colours are 8-bit sRGB. Percentages, fractions of the image and the
// vendors' names appear only in api/.
//
// Start at Analysis; docs/overview.md follows one request from here to its answer.
package trilobite

import "trilobite/geom"

// Analysis is what was seen in one image.
type Analysis struct {
	Width, Height   int // pixels, upright
	Orientation     int // EXIF orientation of the file, 1 to 8; 1 if it has none
	Labels          []Label
	Detections      []Detection
	Classifications []Classification
	Properties      *Properties // nil unless asked for
	CropHints       []CropHint  // one per asked ratio
	Version         string      // names and versions of the models that looked
}

// Label is an object, scene or concept seen in an image, in the taxonomy's words.
// Ancestors of what a model saw are labels too: a pizza is also Food.
type Label struct {
	Name       string
	Score      float32
	Instances  []Instance // where it was seen; empty when only a classifier saw it
	Parents    []string   // all ancestors, nearest first
	Aliases    []string
	Categories []string
}

// Instance is one place in the image where a label was seen.
type Instance struct {
	Box    geom.Box
	Score  float32
	Colors []Color // of the box's pixels; nil unless properties were asked for
}

// Detection is a model's own answer for one object, in the model's own vocabulary.
type Detection struct {
	Class int // index into the model's labels
	Name  string
	Score float32
	Box   geom.Box
	Model string
}

// Classification is a model's own score for one class of the whole image.
type Classification struct {
	Class int // index into the model's labels
	Name  string
	Score float32
	Model string
}

// Properties describes an image's pixels; docs/image-properties.md defines each figure.
type Properties struct {
	Region                         // the whole image
	Foreground, Background *Region // nil where the image has no such part
}

// Region is the quality and the colours of a part of an image.
type Region struct {
	Quality Quality
	Colors  []Color // most frequent first
}

// Quality figures are 0 to 100.
type Quality struct {
	Brightness, Sharpness, Contrast float32
}

// Color is a dominant colour.
type Color struct {
	R, G, B    uint8
	CSS        string  // nearest CSS colour name
	Simplified string  // one of twelve plain colour names
	Fraction   float32 // share of the pixels, 0 to 1
	Score      float32 // how much it stands out, 0 to 1
}

// CropHint is a crop of a wanted aspect ratio that keeps what matters.
type CropHint struct {
	Box        geom.Box
	Confidence float32 // 0 to 1
	Importance float32 // share of the image's salience inside the box, 0 to 1
}

// AnalyzeParams says what to look for.
type AnalyzeParams struct {
	Labels     bool // merge models into Labels
	Objects    bool // run detection models (implied by Labels)
	Properties bool
	MaxColors  int       // dominant colours per region, used with Properties
	CropRatios []float32 // width / height, one crop hint each; 0 keeps the image's own ratio
	MinScore   float32   // 0 to 1
	MaxLabels  int       // 0: no limit
	Models     []string  // nil: the configured list
	Filter     LabelFilter
}

// LabelFilter keeps labels by name or category. Empty inclusion lists include all;
// exclusion wins over inclusion. Names compare without regard to case.
type LabelFilter struct {
	Include, Exclude                     []string // label names
	IncludeCategories, ExcludeCategories []string
}
