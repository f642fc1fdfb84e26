package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"trilobite/geom"
	"trilobite/segment"
)

// segmented is the answer for one image.
type segmented struct {
	name, model   string
	width, height int
	parts         []segment.Part
	regions       []geom.Region // for JSON alone
	runs          []*geom.RLE   // by class, for JSON alone
	files         pictures
	err           error
}

// maskLine is the JSON form of one image's answer. Shares and confidences are 0 to 1;
// points are x, y in pixels of the upright image, at the pixels' corners.
type maskLine struct {
	File       string      `json:"file"`
	Model      string      `json:"model,omitempty"`
	Width      int         `json:"width,omitempty"`
	Height     int         `json:"height,omitempty"`
	Classes    []jsonClass `json:"classes"`
	Mask       string      `json:"mask,omitempty"`
	Overlay    string      `json:"overlay,omitempty"`
	Confidence string      `json:"confidence_map,omitempty"`
	Error      string      `json:"error,omitempty"`
}

type jsonClass struct {
	Index      int           `json:"index"`
	Name       string        `json:"name"`
	Pixels     int           `json:"pixels"`
	Share      float64       `json:"share"`
	Confidence float64       `json:"confidence"`
	RLE        jsonRLE       `json:"rle"`
	Polygons   []jsonPolygon `json:"polygons"`
}

// jsonRLE is a mask as pycocotools reads it.
type jsonRLE struct {
	Size   [2]int `json:"size"` // height, width
	Counts string `json:"counts"`
}

type jsonPolygon struct {
	Area  int            `json:"area"` // pixels, holes left out
	Outer [][2]float64   `json:"outer"`
	Holes [][][2]float64 `json:"holes,omitempty"`
}

// maskPrinter writes answers as JSON Lines or as tables.
type maskPrinter struct {
	w     io.Writer
	json  *json.Encoder // nil: tables
	title bool
}

func newMaskPrinter(w io.Writer, f segmentFlags, many bool) maskPrinter {
	p := maskPrinter{w: w, title: many}
	if f.json {
		p.json = json.NewEncoder(w)
		p.json.SetEscapeHTML(false)
	}
	return p
}

func (p maskPrinter) print(s segmented) error {
	if p.json != nil {
		return p.json.Encode(toMaskLine(s))
	}
	if s.parts == nil {
		return nil // its error is on standard error
	}
	if p.title {
		fmt.Fprintf(p.w, "%s (%d × %d)\n", s.name, s.width, s.height)
	}
	t := tabwriter.NewWriter(p.w, 2, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CLASS\tSHARE\tPIXELS\tCONFIDENCE")
	for _, c := range s.parts {
		fmt.Fprintf(t, "%s\t%.1f%%\t%d\t%.2f\n", c.Name, c.Share*100, c.Pixels, c.Confidence)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if p.title {
		fmt.Fprintln(p.w)
	}
	return nil
}

func toMaskLine(s segmented) maskLine {
	l := maskLine{File: s.name, Model: s.model, Width: s.width, Height: s.height, Classes: []jsonClass{}}
	if s.err != nil {
		l.Error = errorText(s.err)
	} else {
		l.Mask, l.Overlay, l.Confidence = s.files.mask, s.files.overlay, s.files.confidence
	}
	at := map[int]int{}
	for i, c := range s.parts {
		at[c.Class] = i
		r := s.runs[c.Class]
		l.Classes = append(l.Classes, jsonClass{c.Class, c.Name, c.Pixels, c.Share, c.Confidence, jsonRLE{[2]int{r.H, r.W}, r.String()}, []jsonPolygon{}})
	}
	for _, r := range s.regions {
		c := &l.Classes[at[int(r.Class)]]
		polygon := jsonPolygon{Area: r.Pixels, Outer: points(r.Outer)}
		for _, h := range r.Holes {
			polygon.Holes = append(polygon.Holes, points(h))
		}
		c.Polygons = append(c.Polygons, polygon)
	}
	return l
}

func points(p geom.Polygon) [][2]float64 {
	out := make([][2]float64, len(p))
	for i, q := range p {
		out[i] = [2]float64{q.X, q.Y}
	}
	return out
}
