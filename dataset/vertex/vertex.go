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
	"os"
	"slices"
	"strings"

	"trilobite/dataset"
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

// Find returns the file that a gs:// URI names.
type Find func(uri string) (path string, err error)

// Size returns a picture's size in pixels.
type Size func(path string) (w, h int, err error)

// Read returns the set of all files together: a picture that several of them name has
// what all say. Classes are the names that occur, in alphabetical order. Lines that make
// no sense are dropped, parts of lines too.
func Read(paths []string, find Find, size Size) (*dataset.Set, error) {
	r := &reader{set: &dataset.Set{Ignore: dataset.NoIgnore}, find: find, size: size, place: map[string]int{}}
	for _, path := range paths {
		if err := r.file(path); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	if len(r.set.Images) == 0 {
		why := "it has no lines"
		if len(r.set.Dropped) > 0 {
			why = r.set.Dropped[0].String()
		}
		return nil, fmt.Errorf("%s lists no picture that is here: %s", paths[0], why)
	}
	r.classes.Name(r.set)
	return r.set, nil
}

type reader struct {
	set     *dataset.Set
	find    Find
	size    Size
	place   map[string]int // in set.Images, by URI
	classes dataset.Naming
}

func (r *reader) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.parse(dataset.Limit(f, maxBytes, path), path)
}

func (r *reader) parse(in io.Reader, name string) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := r.line(lines.Bytes(), name, n); err != nil {
			r.set.Dropf(name, n, "%v", err)
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
	i, known := r.place[l.Image]
	if !known {
		img := dataset.Image{Split: split, Source: name, Line: n}
		var err error
		if img.File, err = r.find(l.Image); err != nil {
			return err
		}
		if img.W, img.H, err = r.size(img.File); err != nil {
			return fmt.Errorf("size of %s: %w", img.File, err)
		}
		i = len(r.set.Images)
		r.place[l.Image] = i
		r.set.Images = append(r.set.Images, img)
	}
	img := &r.set.Images[i]
	if img.Split != split {
		return fmt.Errorf("%.200s is in split %q here and in %q before", l.Image, split, img.Split)
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
		if a.Name == "" {
			continue
		}
		if c := r.classes.Class(a.Name); !slices.Contains(img.Classes, c) {
			img.Classes = append(img.Classes, c)
		}
	}
}

func (r *reader) objects(l *line, img *dataset.Image, name string, n int) {
	w, h := float64(img.W), float64(img.H)
	add := func(class string, o dataset.Object, err error) {
		if err == nil && class == "" {
			err = errors.New("it has no displayName")
		}
		if err != nil {
			r.set.Dropf(name, n, "%v", err)
			return
		}
		o.Class, o.Area = r.classes.Class(class), o.OwnArea()
		r.set.Add(img, o, name, n)
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
		r.set.Dropf(name, n, "%d polylines, which enclose nothing", len(l.Polylines))
	}
}

// mask gives img its mask.
func (r *reader) mask(m *mask, img *dataset.Image) error {
	uri := m.Category
	if uri == "" {
		uri = m.URI
	}
	path, err := r.find(uri)
	if err != nil {
		return fmt.Errorf("mask: %w", err)
	}
	for _, c := range m.Colors {
		if c.Name == "" {
			return errors.New("mask: a colour without displayName")
		}
		level := func(v float64) uint8 { return uint8(math.Round(255 * min(1, max(0, v)))) }
		if err := r.classes.Color(r.set, [3]uint8{level(c.Color.Red), level(c.Color.Green), level(c.Color.Blue)}, c.Name); err != nil {
			return fmt.Errorf("mask: %w", err)
		}
	}
	if r.set.Colors == nil {
		return errors.New("mask: there are no annotationSpecColors")
	}
	img.Mask = path
	return nil
}
