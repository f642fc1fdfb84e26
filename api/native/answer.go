package native

import (
	"fmt"

	"trilobite"
	"trilobite/geom"
)

// Answer is what was seen. Lists that were not asked for are left out; empty ones
// were asked for and nothing was found.
type Answer struct {
	Width      int         `json:"width" doc:"Of the upright image, in pixels"`
	Height     int         `json:"height"`
	Labels     []Label     `json:"labels,omitzero" required:"false" nullable:"false"`
	Detections []Detection `json:"detections,omitzero" required:"false" nullable:"false"`
	Properties *Properties `json:"properties,omitempty"`
	Crops      []Crop      `json:"crops,omitzero" required:"false" nullable:"false"`
	Version    string      `json:"version,omitempty" doc:"Names and versions of the models that looked"`
}

// Box is x1, y1, x2, y2 in pixels; x2 and y2 lie outside.
type Box [4]float32

// Label is an object, scene or concept, in the taxonomy's words.
type Label struct {
	Name       string     `json:"name" example:"Bicycle"`
	Score      float32    `json:"score" minimum:"0" maximum:"1"`
	Parents    []string   `json:"parents" nullable:"false" doc:"All ancestors, nearest first"`
	Aliases    []string   `json:"aliases" nullable:"false"`
	Categories []string   `json:"categories" nullable:"false"`
	Instances  []Instance `json:"instances" nullable:"false" doc:"Where it was seen; empty if only the whole image was named"`
}

// Instance is one place where a label was seen.
type Instance struct {
	Score  float32 `json:"score" minimum:"0" maximum:"1"`
	Box    Box     `json:"box" doc:"x1, y1, x2, y2 in pixels"`
	Colors []Color `json:"colors,omitempty"`
}

// Detection is one object, in the words of the model that saw it.
type Detection struct {
	Label string  `json:"label" example:"bicycle"`
	Score float32 `json:"score" minimum:"0" maximum:"1"`
	Box   Box     `json:"box" doc:"x1, y1, x2, y2 in pixels"`
	Model string  `json:"model,omitempty"`
}

// Properties are the image's quality and colours.
type Properties struct {
	Region
	Foreground *Region `json:"foreground,omitempty"`
	Background *Region `json:"background,omitempty"`
}

// Region is a part of the image.
type Region struct {
	Brightness float32 `json:"brightness" minimum:"0" maximum:"100"`
	Sharpness  float32 `json:"sharpness" minimum:"0" maximum:"100"`
	Contrast   float32 `json:"contrast" minimum:"0" maximum:"100"`
	Colors     []Color `json:"colors" nullable:"false"`
}

// Color is a dominant colour.
type Color struct {
	Hex        string  `json:"hex" example:"#ff7f50"`
	CSS        string  `json:"css,omitempty" doc:"Nearest CSS colour name"`
	Simplified string  `json:"simplified,omitempty" doc:"One of twelve plain names"`
	Fraction   float32 `json:"fraction" doc:"Share of the pixels"`
	Score      float32 `json:"score" doc:"How much it stands out"`
}

// Crop is a part of the image that keeps what matters.
type Crop struct {
	Box        Box     `json:"box" doc:"x1, y1, x2, y2 in pixels"`
	Confidence float32 `json:"confidence"`
	Importance float32 `json:"importance" doc:"Share of what draws the eye that the crop keeps"`
}

// answer tells of a what p asked for.
func answer(a *trilobite.Analysis, p trilobite.AnalyzeParams) *Answer {
	out := &Answer{Width: a.Width, Height: a.Height, Version: a.Version}
	if p.Labels {
		out.Labels = each(a.Labels, label)
	}
	if p.Objects {
		out.Detections = each(a.Detections, func(d trilobite.Detection) Detection {
			return Detection{Label: d.Name, Score: d.Score, Box: box(d.Box), Model: d.Model}
		})
	}
	if p.Properties && a.Properties != nil {
		out.Properties = &Properties{
			Region:     *region(&a.Properties.Region),
			Foreground: region(a.Properties.Foreground),
			Background: region(a.Properties.Background),
		}
	}
	if p.CropRatios != nil {
		out.Crops = each(a.CropHints, func(h trilobite.CropHint) Crop {
			return Crop{Box: box(h.Box), Confidence: h.Confidence, Importance: h.Importance}
		})
	}
	return out
}

func label(l trilobite.Label) Label {
	return Label{
		Name: l.Name, Score: l.Score,
		Parents: list(l.Parents), Aliases: list(l.Aliases), Categories: list(l.Categories),
		Instances: each(l.Instances, func(i trilobite.Instance) Instance {
			return Instance{Score: i.Score, Box: box(i.Box), Colors: each(i.Colors, color)}
		}),
	}
}

func region(r *trilobite.Region) *Region {
	if r == nil {
		return nil
	}
	return &Region{
		Brightness: r.Quality.Brightness, Sharpness: r.Quality.Sharpness, Contrast: r.Quality.Contrast,
		Colors: each(r.Colors, color),
	}
}

func color(c trilobite.Color) Color {
	return Color{
		Hex: fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B),
		CSS: c.CSS, Simplified: c.Simplified, Fraction: c.Fraction, Score: c.Score,
	}
}

func box(b geom.Box) Box { return Box{b.X1, b.Y1, b.X2, b.Y2} }

// each maps a list; the result is never nil, so that JSON has [] and not null.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

func list(in []string) []string { return append([]string{}, in...) }
