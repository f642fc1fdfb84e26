// Package labelstudio reads and writes the JSON of Label Studio: a list of tasks with
// their annotations (labelstud.io/guide/task_format, "Label Studio JSON format"). Choices
// are labels of the picture; rectangles, ellipses, polygons and brushes are objects.
package labelstudio

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/internal/jsonstream"
	"trilobite/geom"
)

// maxBytes bounds a file from outside.
const maxBytes = 4 << 30

type task struct {
	Data        map[string]json.RawMessage `json:"data"`
	Annotations []annotation               `json:"annotations"`
	Completions []annotation               `json:"completions"` // before version 1
}

type annotation struct {
	Cancelled bool     `json:"was_cancelled"`
	Result    []result `json:"result"`
}

type result struct {
	ID     string          `json:"id"`
	Type   string          `json:"type"`
	Width  int             `json:"original_width"`
	Height int             `json:"original_height"`
	Value  json.RawMessage `json:"value"`
}

// value is what any type of result holds; lengths are percent of the picture's.
type value struct {
	X         *float64     `json:"x"`
	Y         *float64     `json:"y"`
	Width     *float64     `json:"width"`
	Height    *float64     `json:"height"`
	RadiusX   *float64     `json:"radiusX"`
	RadiusY   *float64     `json:"radiusY"`
	Rotation  float64      `json:"rotation"` // degrees, clockwise, about the upper left corner
	Points    [][2]float64 `json:"points"`
	Format    string       `json:"format"`
	RLE       []int        `json:"rle"`
	Choices   []string     `json:"choices"`
	Rectangle []string     `json:"rectanglelabels"`
	Ellipse   []string     `json:"ellipselabels"`
	Polygon   []string     `json:"polygonlabels"`
	Brush     []string     `json:"brushlabels"`
	Labels    []string     `json:"labels"`
}

// Is reports whether a task looks like one of Label Studio's.
func Is(first json.RawMessage) bool {
	var t struct {
		Data        map[string]json.RawMessage `json:"data"`
		Annotations *json.RawMessage           `json:"annotations"`
		Completions *json.RawMessage           `json:"completions"`
	}
	return json.Unmarshal(first, &t) == nil && t.Data != nil && (t.Annotations != nil || t.Completions != nil)
}

// Find returns the file that a URL or path of a task names.
type Find func(ref string) (path string, err error)

// Read returns the set of a file of tasks, in their order. Classes are the labels that
// occur, in alphabetical order. Of several annotations of a task the first that was not
// cancelled counts. What makes no sense is dropped: a task, or one of its regions.
func Read(path string, find Find) (*dataset.Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := parse(f, path, find)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(s.Images) == 0 {
		why := "it has no tasks"
		if len(s.Dropped) > 0 {
			why = s.Dropped[0].String()
		}
		return nil, fmt.Errorf("%s has no picture that is here: %s", path, why)
	}
	return s, nil
}

func parse(f io.Reader, name string, find Find) (*dataset.Set, error) {
	r := &reader{set: &dataset.Set{Ignore: dataset.NoIgnore}, name: name, find: find, seen: map[string]int{}}
	in := jsonstream.New(f, maxBytes)
	err := in.Array(func() error {
		var t task
		bad, err := in.Value(&t)
		if err != nil {
			return err
		}
		if bad == nil {
			bad = r.task(&t, in.Line())
		}
		if bad != nil {
			r.set.Dropf(name, in.Line(), "%v", bad)
		}
		return nil
	})
	r.classes.Name(r.set)
	return r.set, err
}

type reader struct {
	set     *dataset.Set
	name    string
	find    Find
	classes dataset.Naming
	seen    map[string]int // line by picture
}

// task reads the task at a line.
func (r *reader) task(t *task, line int) error {
	ref, err := picture(t.Data)
	if err != nil {
		return err
	}
	if first, twice := r.seen[ref]; twice {
		return fmt.Errorf("the picture %.200s is that of the task on line %d", ref, first)
	}
	r.seen[ref] = line
	img := dataset.Image{Source: r.name, Line: line}
	if img.File, err = r.find(ref); err != nil {
		return err
	}
	var split string
	if json.Unmarshal(t.Data["split"], &split) == nil && split != "" {
		var ok bool
		if img.Split, ok = dataset.SplitOf(split); !ok {
			return fmt.Errorf("split %.50q is neither train, val nor test", split)
		}
	}
	all := slices.DeleteFunc(slices.Concat(t.Annotations, t.Completions), func(a annotation) bool { return a.Cancelled })
	if len(all) > 1 {
		r.set.Dropf(r.name, line, "%d annotations of one task besides the first", len(all)-1)
	}
	if len(all) > 0 {
		r.regions(all[0].Result, &img, line)
	}
	r.set.Images = append(r.set.Images, img)
	return nil
}

// picture returns the task's picture: the value called image, or the only one that names
// a picture.
func picture(data map[string]json.RawMessage) (string, error) {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(data)) {
		var ref string
		if json.Unmarshal(data[key], &ref) != nil {
			continue
		}
		if key == "image" && ref != "" {
			return ref, nil
		}
		if path, _, _ := strings.Cut(ref, "?"); dataset.IsImageName(path) || dataset.IsImageName(ref) {
			found = append(found, ref)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("its data names %d pictures", len(found))
	}
	return found[0], nil
}

// region is a part of a picture, of which several results may tell.
type region struct {
	shape  *result
	value  value
	labels []string
}

// regions reads an annotation. Results of one id, a shape and its labels, are one region.
func (r *reader) regions(results []result, img *dataset.Image, line int) {
	var order []string
	byID := map[string]*region{}
	for i := range results {
		res := &results[i]
		var v value
		if err := json.Unmarshal(res.Value, &v); err != nil {
			r.set.Dropf(r.name, line, "result %d: %v", i, err)
			continue
		}
		if res.Type == "choices" {
			for _, c := range v.Choices {
				if class := r.classes.Class(c); !slices.Contains(img.Classes, class) {
					img.Classes = append(img.Classes, class)
				}
			}
			continue
		}
		id := cmp.Or(res.ID, fmt.Sprint("result ", i))
		g := byID[id]
		if g == nil {
			g = &region{}
			byID[id], order = g, append(order, id)
		}
		if v.X != nil || v.Points != nil || v.RLE != nil || g.shape == nil {
			g.shape, g.value = res, v
		}
		for _, names := range [][]string{v.Rectangle, v.Ellipse, v.Polygon, v.Brush, v.Labels} {
			for _, n := range names {
				if !slices.Contains(g.labels, n) {
					g.labels = append(g.labels, n)
				}
			}
		}
	}
	for _, id := range order {
		g := byID[id]
		o, err := g.object()
		if err == nil && len(g.labels) == 0 {
			err = errors.New("it has no label")
		}
		if err != nil {
			r.set.Dropf(r.name, line, "region %.50s: %v", id, err)
			continue
		}
		if img.W == 0 {
			img.W, img.H = g.shape.Width, g.shape.Height
		}
		for _, name := range g.labels {
			o.Class = r.classes.Class(name)
			r.set.Add(img, o, r.name, line)
		}
	}
}

// object returns a region as an object whose class is not set.
func (g *region) object() (dataset.Object, error) {
	v, w, h := g.value, float64(g.shape.Width)/100, float64(g.shape.Height)/100
	if g.shape.Width < 1 || g.shape.Height < 1 {
		return dataset.Object{}, errors.New("its original_width or original_height is missing")
	}
	var o dataset.Object
	switch {
	case v.RLE != nil:
		if v.Format != "rle" {
			return o, fmt.Errorf("a brush in format %.20q, want rle", v.Format)
		}
		data := make([]byte, len(v.RLE))
		for i, b := range v.RLE {
			data[i] = byte(b)
		}
		var err error
		if o.RLE, err = decodeRLE(data, g.shape.Width, g.shape.Height); err != nil {
			return o, err
		}
		o.Box = o.RLE.Bounds()
	case v.Points != nil:
		p := make(geom.Polygon, len(v.Points))
		for i, q := range v.Points {
			p[i] = geom.Point{X: q[0] * w, Y: q[1] * h}
		}
		o.Polygons = []geom.Polygon{p}
	case v.X == nil || v.Y == nil:
		return o, fmt.Errorf("a %.30q encloses nothing", g.shape.Type)
	case v.RadiusX != nil && v.RadiusY != nil:
		o.Polygons = []geom.Polygon{geom.Ellipse(geom.Point{X: *v.X * w, Y: *v.Y * h}, *v.RadiusX*w, *v.RadiusY*h, v.Rotation*math.Pi/180)}
	case v.Width != nil && v.Height != nil:
		o.Box = geom.Rect{X: *v.X * w, Y: *v.Y * h, W: *v.Width * w, H: *v.Height * h}
		if v.Rotation != 0 {
			o.Polygons = []geom.Polygon{o.Box.Rotate(geom.Point{X: o.Box.X, Y: o.Box.Y}, v.Rotation*math.Pi/180)}
		}
	default:
		return o, fmt.Errorf("a %.30q encloses nothing", g.shape.Type)
	}
	if len(o.Polygons) > 0 {
		if err := dataset.CheckPolygon(o.Polygons[0]); err != nil {
			return o, err
		}
		o.Box = o.Polygons[0].Bounds()
	}
	o.Area = o.OwnArea()
	return o, nil
}
