package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"trilobite"
)

// line is the JSON form of one image's answer. Scores are 0 to 1, boxes are pixels of
// the upright image, x1 y1 x2 y2.
type line struct {
	File       string          `json:"file"`
	Width      int             `json:"width,omitempty"`
	Height     int             `json:"height,omitempty"`
	Labels     []jsonLabel     `json:"labels"`
	Detections []jsonDetection `json:"detections"`
	Annotated  string          `json:"annotated,omitempty"`
	Error      string          `json:"error,omitempty"`
}

type jsonLabel struct {
	Name  string  `json:"name"`
	Score float32 `json:"score"`
}

type jsonDetection struct {
	Label string     `json:"label"`
	Score float32    `json:"score"`
	Box   [4]float32 `json:"box"`
}

// printer writes answers as JSON Lines or as tables.
type printer struct {
	w     io.Writer
	json  *json.Encoder // nil: tables
	title bool          // print each file's name
}

func newPrinter(w io.Writer, asJSON, many bool) printer {
	p := printer{w: w, title: many}
	if asJSON {
		p.json = json.NewEncoder(w)
		p.json.SetEscapeHTML(false)
	}
	return p
}

func (p printer) print(s sighting) error {
	if p.json != nil {
		return p.json.Encode(toLine(s))
	}
	if s.analysis == nil {
		return nil // its error is on standard error
	}
	return p.table(s)
}

func toLine(s sighting) line {
	l := line{File: s.name, Labels: []jsonLabel{}, Detections: []jsonDetection{}, Annotated: s.drawn}
	if s.err != nil {
		l.Error = errorText(s.err)
	}
	if s.analysis == nil {
		return l
	}
	l.Width, l.Height = s.analysis.Width, s.analysis.Height
	for _, x := range s.analysis.Labels {
		l.Labels = append(l.Labels, jsonLabel{x.Name, x.Score})
	}
	for _, d := range s.analysis.Detections {
		l.Detections = append(l.Detections, jsonDetection{d.Name, d.Score, [4]float32{d.Box.X1, d.Box.Y1, d.Box.X2, d.Box.Y2}})
	}
	return l
}

// table prints labels if there are any, else detections.
func (p printer) table(s sighting) error {
	if p.title {
		fmt.Fprintf(p.w, "%s (%d × %d)\n", s.name, s.analysis.Width, s.analysis.Height)
	}
	t := tabwriter.NewWriter(p.w, 2, 0, 2, ' ', 0)
	switch a := s.analysis; {
	case len(a.Labels) > 0:
		fmt.Fprintln(t, "LABEL\tSCORE\tSEEN\tBELONGS TO")
		for _, l := range a.Labels {
			fmt.Fprintf(t, "%s\t%.2f\t%s\t%s\n", l.Name, l.Score, count(l), strings.Join(l.Parents, ", "))
		}
	case len(a.Detections) > 0:
		fmt.Fprintln(t, "OBJECT\tSCORE\tBOX (x1 y1 x2 y2)")
		for _, d := range a.Detections {
			fmt.Fprintf(t, "%s\t%.2f\t%.0f %.0f %.0f %.0f\n", d.Name, d.Score, d.Box.X1, d.Box.Y1, d.Box.X2, d.Box.Y2)
		}
	default:
		fmt.Fprintln(t, "nothing above the minimum confidence")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if s.drawn != "" {
		fmt.Fprintln(p.w, "drawn:", s.drawn)
	}
	if p.title {
		fmt.Fprintln(p.w)
	}
	return nil
}

// count says in how many places a label was seen; a label of a whole image has none.
func count(l trilobite.Label) string {
	switch n := len(l.Instances); n {
	case 0:
		return ""
	case 1:
		return "once"
	default:
		return fmt.Sprintf("%d times", n)
	}
}
