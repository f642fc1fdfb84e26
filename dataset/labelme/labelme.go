// Package labelme reads labelme's annotations: a JSON file for each picture, beside it or
// in a folder of its own (github.com/wkentaro/labelme).
package labelme

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"trilobite/dataset"
	"trilobite/geom"
)

// maxBytes bounds one file, which may hold its whole picture in base64.
const maxBytes = 64 << 20

type file struct {
	Shapes []shape `json:"shapes"`
	Path   string  `json:"imagePath"`
	Height int     `json:"imageHeight"`
	Width  int     `json:"imageWidth"`
}

type shape struct {
	Label  string       `json:"label"`
	Type   string       `json:"shape_type"`
	Points [][2]float64 `json:"points"`
}

// Is reports whether data is one of labelme's files.
func Is(data []byte) bool {
	var f struct {
		Shapes *[]json.RawMessage `json:"shapes"`
		Path   *string            `json:"imagePath"`
	}
	return json.Unmarshal(data, &f) == nil && f.Shapes != nil && f.Path != nil
}

// Read returns the set of all JSON files below dir, in the order of their paths. A
// picture is where the file says, or beside the file, but always below dir. Folders
// named after splits give Image.Split. Polygons, rectangles and circles are objects;
// other shapes, and files that are not labelme's, are dropped.
func Read(dir string) (*dataset.Set, error) {
	r := &reader{set: &dataset.Set{Ignore: dataset.NoIgnore}, dir: dir}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && dataset.IsHidden(d.Name()) && d.IsDir():
			return filepath.SkipDir
		case d.Type().IsRegular() && !dataset.IsHidden(d.Name()) && strings.EqualFold(filepath.Ext(path), ".json"):
			if err := r.file(path); err != nil {
				r.set.Dropf(path, 0, "%v", err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(r.set.Images) == 0 {
		return nil, fmt.Errorf("%s holds no annotation of labelme", dir)
	}
	r.classes.Name(r.set)
	return r.set, nil
}

type reader struct {
	set     *dataset.Set
	dir     string
	classes dataset.Naming
}

func (r *reader) file(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err != nil {
		return err
	}
	if len(data) > maxBytes {
		return fmt.Errorf("more than %d bytes", maxBytes)
	}
	if !Is(data) {
		return errors.New("no annotation of labelme: it has no shapes and imagePath")
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	img := dataset.Image{Split: r.split(path), Source: path}
	if img.File, err = r.picture(path, f.Path); err != nil {
		return err
	}
	if f.Width > 0 && f.Height > 0 {
		img.W, img.H = f.Width, f.Height
	}
	for i, s := range f.Shapes {
		o, err := r.object(s)
		if err != nil {
			r.set.Dropf(path, 0, "shape %d: %v", i, err)
			continue
		}
		r.set.Add(&img, o, path, 0)
	}
	r.set.Images = append(r.set.Images, img)
	return nil
}

// split returns the split that a folder between dir and path is named after.
func (r *reader) split(path string) string {
	rel, err := filepath.Rel(r.dir, path)
	if err != nil {
		return ""
	}
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(rel)), "/") {
		if s, ok := dataset.SplitOf(part); ok {
			return s
		}
	}
	return ""
}

// picture returns the picture's path: as written, from the annotation's folder, or of
// that name beside the annotation. Windows' separators are understood.
func (r *reader) picture(annotation, written string) (string, error) {
	written = strings.ReplaceAll(written, `\`, "/")
	here := filepath.Dir(annotation)
	for _, path := range []string{filepath.Join(here, filepath.FromSlash(written)), filepath.Join(here, filepath.Base(filepath.FromSlash(written)))} {
		rel, err := filepath.Rel(r.dir, path)
		if err != nil || !filepath.IsLocal(rel) || !dataset.IsImageName(path) {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no picture %.200q below %s", written, r.dir)
}

func (r *reader) object(s shape) (dataset.Object, error) {
	if s.Label == "" {
		return dataset.Object{}, errors.New("no label")
	}
	p, err := outline(s)
	if err != nil {
		return dataset.Object{}, err
	}
	if err := dataset.CheckPolygon(p); err != nil {
		return dataset.Object{}, err
	}
	return dataset.Object{Class: r.classes.Class(s.Label), Box: p.Bounds(), Area: p.Area(), Polygons: []geom.Polygon{p}}, nil
}

// outline returns a shape as a polygon; circles, centre and a point on the line, get 64
// corners.
func outline(s shape) (geom.Polygon, error) {
	at := func(i int) geom.Point { return geom.Point{X: s.Points[i][0], Y: s.Points[i][1]} }
	switch s.Type {
	case "polygon", "": // the first versions knew nothing else
		p := make(geom.Polygon, len(s.Points))
		for i := range p {
			p[i] = at(i)
		}
		return p, nil
	case "rectangle":
		if len(s.Points) != 2 {
			return nil, fmt.Errorf("a rectangle of %d points", len(s.Points))
		}
		a, b := at(0), at(1)
		return geom.Polygon{a, {X: b.X, Y: a.Y}, b, {X: a.X, Y: b.Y}}, nil
	case "circle":
		if len(s.Points) != 2 {
			return nil, fmt.Errorf("a circle of %d points", len(s.Points))
		}
		const corners = 64
		c, r := at(0), math.Hypot(at(1).X-at(0).X, at(1).Y-at(0).Y)
		p := make(geom.Polygon, corners)
		for i := range p {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
			p[i] = geom.Point{X: c.X + r*cos, Y: c.Y + r*sin}
		}
		return p, nil
	default:
		return nil, fmt.Errorf("a %.30q encloses nothing", s.Type)
	}
}
