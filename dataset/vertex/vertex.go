// Package vertex reads and writes the JSON Lines with which Vertex AI imports and exports
// image data sets: image classification with a single label or several, bounding boxes,
// and segmentation by polygons and masks. The schemas are published as
// gs://google-cloud-aiplatform/schema/dataset/ioformat/image_*_io_format_1.0.0.yaml and shown in
// cloud.google.com/vertex-ai/docs/image-data, "Prepare image training data".
package vertex

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/internal/gslist"
	"trilobite/geom"
)

// Limits of a file from outside.
const (
	maxBytes = 4 << 30
	maxLine  = 16 << 20
)

// mlUse is the resource label that says to which part a picture belongs.
const mlUse = "aiplatform.googleapis.com/ml_use"

type line struct {
	Image        string            `json:"imageGcsUri"`
	Single       *label            `json:"classificationAnnotation,omitempty"`
	Several      []label           `json:"classificationAnnotations,omitempty"`
	Boxes        *[]box            `json:"boundingBoxAnnotations,omitempty"`
	Polygons     []polygon         `json:"polygonAnnotations,omitempty"`
	Polylines    []json.RawMessage `json:"polylineAnnotations,omitempty"`
	Segmentation *mask             `json:"segmentationAnnotation,omitempty"`
	Mask         *mask             `json:"maskAnnotation,omitempty"` // as exports call it
	Labels       map[string]string `json:"dataItemResourceLabels,omitempty"`
}

type label struct {
	Name string `json:"displayName"`
}

// box is in fractions of the picture.
type box struct {
	Name string  `json:"displayName"`
	XMin float64 `json:"xMin"`
	YMin float64 `json:"yMin"`
	XMax float64 `json:"xMax"`
	YMax float64 `json:"yMax"`
}

type polygon struct {
	Name     string   `json:"displayName"`
	Vertexes []vertex `json:"vertexes"`
}

type vertex struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

type mask struct {
	Category string  `json:"categoryMaskGcsUri,omitempty"`
	URI      string  `json:"maskGcsUri,omitempty"`
	Colors   []color `json:"annotationSpecColors"`
}

type color struct {
	Name  string `json:"displayName"`
	Color struct {
		Red   float64 `json:"red"` // 0 to 1
		Green float64 `json:"green"`
		Blue  float64 `json:"blue"`
	} `json:"color"`
}

// Read returns the set of all files together: a picture that several of them name has
// what all say. Classes are the names that occur, in alphabetical order. Lines that make
// no sense are dropped, parts of lines too.
func Read(paths []string, find gslist.Find, size gslist.Size) (*dataset.Set, error) {
	r := &reader{gslist.New(find, size)}
	return r.Read(paths, maxBytes, r.parse)
}

type reader struct{ *gslist.List }

func (r *reader) parse(in io.Reader, name string) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := r.line(lines.Bytes(), name, n); err != nil {
			r.Set.Dropf(name, n, "%v", err)
		}
	}
	return lines.Err()
}

// line reads the line that is number n of the file called name.
func (r *reader) line(data []byte, name string, n int) error {
	var l line
	if err := json.Unmarshal(data, &l); err != nil {
		return err
	}
	if l.Image == "" {
		return errors.New("there is no imageGcsUri")
	}
	split := ""
	if use := l.Labels[mlUse]; use != "" && !strings.EqualFold(use, "unassigned") {
		var ok bool
		if split, ok = dataset.SplitOf(use); !ok {
			return fmt.Errorf("%s is %.50q, neither training, validation nor test", mlUse, use)
		}
	}
	img, err := r.Image(l.Image, split, name, n, true)
	if err != nil {
		return err
	}
	r.labels(&l, img)
	r.objects(&l, img, name, n)
	if m := l.Segmentation; m != nil {
		return r.mask(m, img)
	} else if l.Mask != nil {
		return r.mask(l.Mask, img)
	}
	return nil
}

func (r *reader) labels(l *line, img *dataset.Image) {
	if l.Single != nil {
		l.Several = append(l.Several, *l.Single)
	}
	for _, a := range l.Several {
		r.Label(img, a.Name)
	}
}

func (r *reader) objects(l *line, img *dataset.Image, name string, n int) {
	w, h := float64(img.W), float64(img.H)
	add := func(class string, o dataset.Object, err error) {
		if err == nil && class == "" {
			err = errors.New("it has no displayName")
		}
		if err != nil {
			r.Set.Dropf(name, n, "%v", err)
			return
		}
		o.Class, o.Area = r.Classes.Class(class), o.OwnArea()
		r.Set.Add(img, o, name, n)
	}
	if l.Boxes != nil {
		for _, b := range *l.Boxes {
			rect := geom.Rect{X: b.XMin * w, Y: b.YMin * h, W: (b.XMax - b.XMin) * w, H: (b.YMax - b.YMin) * h}
			add(b.Name, dataset.Object{Box: rect}, nil)
		}
	}
	for _, p := range l.Polygons {
		outline := make(geom.Polygon, len(p.Vertexes))
		for i, v := range p.Vertexes {
			outline[i] = geom.Point{X: v.X * w, Y: v.Y * h}
		}
		add(p.Name, dataset.Object{Box: outline.Bounds(), Polygons: []geom.Polygon{outline}}, dataset.CheckPolygon(outline))
	}
	if len(l.Polylines) > 0 {
		r.Set.Dropf(name, n, "%d polylines, which enclose nothing", len(l.Polylines))
	}
}

// mask gives img its mask.
func (r *reader) mask(m *mask, img *dataset.Image) error {
	uri := m.Category
	if uri == "" {
		uri = m.URI
	}
	path, err := r.Find(uri)
	if err != nil {
		return fmt.Errorf("mask: %w", err)
	}
	for _, c := range m.Colors {
		if c.Name == "" {
			return errors.New("mask: a colour without displayName")
		}
		level := func(v float64) uint8 { return uint8(math.Round(255 * min(1, max(0, v)))) }
		if err := r.Classes.Color(r.Set, [3]uint8{level(c.Color.Red), level(c.Color.Green), level(c.Color.Blue)}, c.Name); err != nil {
			return fmt.Errorf("mask: %w", err)
		}
	}
	if r.Set.Colors == nil {
		return errors.New("mask: there are no annotationSpecColors")
	}
	img.Mask = path
	return nil
}
