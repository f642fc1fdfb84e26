package native

import (
	"errors"

	"trilobite"
	"trilobite/geom"
	"trilobite/serving"
)

// Predicted is what one model saw: classes, detections or segments, by its task.
type Predicted struct {
	Model      string      `json:"model" doc:"name@version" example:"road@2"`
	Task       string      `json:"task" enum:"detect,classify,segment"`
	Width      int         `json:"width" doc:"Of the upright image, in pixels"`
	Height     int         `json:"height"`
	Classes    []Class     `json:"classes,omitzero" required:"false" nullable:"false"`
	Detections []Detection `json:"detections,omitzero" required:"false" nullable:"false"`
	Segments   []Segment   `json:"segments,omitzero" required:"false" nullable:"false" doc:"Classes that the image shows"`
	Mask       []byte      `json:"mask,omitempty" contentEncoding:"base64" doc:"PNG of 8 bits in the image's size: the stored values are class indices, the palette shows them in colour"`
	Overlay    []byte      `json:"overlay,omitempty" contentEncoding:"base64" doc:"PNG of the image with its classes in colour"`
	Confidence []byte      `json:"confidence,omitempty" contentEncoding:"base64" doc:"Grey PNG, 0 to 255 for 0 to 1"`
}

// Class is one class of the whole image.
type Class struct {
	Index int     `json:"index"`
	Label string  `json:"label"`
	Score float32 `json:"score" minimum:"0" maximum:"1"`
}

// Segment is the part of the image that one class covers.
type Segment struct {
	Index      int       `json:"index" doc:"The class, as in the mask"`
	Label      string    `json:"label"`
	Pixels     int       `json:"pixels"`
	Share      float64   `json:"share" doc:"Of the image, 0 to 1"`
	Confidence float64   `json:"confidence" doc:"Mean over its pixels; 0 from models without scores"`
	Polygons   []Polygon `json:"polygons,omitzero" required:"false" nullable:"false"`
	RLE        *RLE      `json:"rle,omitempty"`
}

// Polygon is a connected part of a segment.
type Polygon struct {
	Area  int            `json:"area" doc:"Pixels, holes left out"`
	Outer [][2]float64   `json:"outer" nullable:"false" doc:"x, y in pixels, at the pixels' corners"`
	Holes [][][2]float64 `json:"holes,omitempty"`
}

// RLE is COCO's compressed form of a mask.
type RLE struct {
	Size   [2]int `json:"size" doc:"Height, width"`
	Counts string `json:"counts"`
}

type picture struct {
	name string
	data []byte
}

// pictures are the PNGs that the answer has.
func (a *Predicted) pictures() []picture {
	var all []picture
	for _, p := range []picture{{mask, a.Mask}, {overlay, a.Overlay}, {confidence, a.Confidence}} {
		if p.data != nil {
			all = append(all, p)
		}
	}
	return all
}

// predicted tells what was seen, with the outputs that were asked for.
func predicted(s *serving.Seen, asked *Prediction) (*Predicted, error) {
	out := &Predicted{Model: s.Model.Ref(), Task: s.Model.Task, Width: s.Width, Height: s.Height}
	switch {
	case s.Mask != nil:
		return out, out.fill(s, asked)
	case asked.Outputs != nil:
		return nil, invalid("outputs are of masks: model " + s.Model.Ref() + " has task " + s.Model.Task + ".")
	case s.Classes != nil:
		most := asked.MaxResults
		if most == 0 {
			most = defaultClasses
		}
		out.Classes = each(s.Classes[:min(most, len(s.Classes))], func(c trilobite.Classification) Class {
			return Class{Index: c.Class, Label: c.Name, Score: c.Score}
		})
	default:
		out.Detections = each(s.Objects, func(d trilobite.Detection) Detection {
			return Detection{Label: d.Name, Score: d.Score, Box: box(d.Box)}
		})
	}
	return out, nil
}

// fill tells of a mask.
func (a *Predicted) fill(s *serving.Seen, asked *Prediction) error {
	wants := map[string]bool{}
	for _, o := range asked.Outputs {
		wants[o] = true
	}
	a.Segments = []Segment{}
	at := map[int]int{}
	for i, p := range s.Mask.Parts() {
		at[p.Class] = i
		a.Segments = append(a.Segments, Segment{Index: p.Class, Label: p.Name, Pixels: p.Pixels, Share: p.Share, Confidence: p.Confidence})
	}
	if wants[polygons] {
		tolerance := 1.0
		if asked.Tolerance != nil {
			tolerance = *asked.Tolerance
		}
		for _, r := range s.Mask.Regions(tolerance) {
			to := &a.Segments[at[int(r.Class)]]
			to.Polygons = append(to.Polygons, Polygon{Area: r.Pixels, Outer: points(r.Outer), Holes: each(r.Holes, points)})
		}
	}
	if wants[rle] {
		for c, r := range s.Mask.RLE() {
			if r != nil {
				a.Segments[at[c]].RLE = &RLE{Size: [2]int{r.H, r.W}, Counts: r.String()}
			}
		}
	}
	return a.draw(s, wants)
}

// draw makes the pictures.
func (a *Predicted) draw(s *serving.Seen, wants map[string]bool) (err error) {
	if wants[mask] || len(wants) == 0 {
		if a.Mask, err = s.Mask.EncodePNG(); err != nil {
			return err
		}
	}
	if wants[confidence] {
		if s.Mask.Confidence == nil {
			return invalid("Model " + s.Model.Ref() + " answers classes without scores: it has no confidence.")
		}
		if a.Confidence, err = s.Mask.EncodeConfidencePNG(); err != nil {
			return err
		}
	}
	if wants[overlay] {
		if s.Overlay == nil {
			return errors.New("no overlay was drawn")
		}
		a.Overlay, err = s.Overlay.EncodePNG()
	}
	return err
}

func points(p geom.Polygon) [][2]float64 {
	return each(p, func(q geom.Point) [2]float64 { return [2]float64{q.X, q.Y} })
}
