// Package labelme reads and writes labelme's annotations: a JSON file for each picture,
// beside it or in a folder of its own (github.com/wkentaro/labelme). Flags of the picture
// that are set are its labels; shapes are objects.
package labelme

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/geom"
)

// maxBytes bounds one file, which may hold its whole picture in base64.
const maxBytes = 64 << 20

type file struct {
	Flags  map[string]bool `json:"flags"`
	Shapes []shape         `json:"shapes"`
	Path   string          `json:"imagePath"`
	Height int             `json:"imageHeight"`
	Width  int             `json:"imageWidth"`
}

type shape struct {
	Label  string       `json:"label"`
	Type   string       `json:"shape_type"`
	Points [][2]float64 `json:"points"`
	Group  *int         `json:"group_id"`
	Mask   []byte       `json:"mask"` // a PNG in base64
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
// named after splits give Image.Split. Rectangles are boxes; polygons, circles and masks
// are outlines; polygons of one label and group are parts of one. Other shapes, and files
// that are not labelme's, are dropped.
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
	for _, name := range slices.Sorted(maps.Keys(f.Flags)) {
		if f.Flags[name] && name != "" {
			img.Classes = append(img.Classes, r.classes.Class(name))
		}
	}
	for _, o := range r.objects(f.Shapes, &img) {
		r.set.Add(&img, o, path, 0)
	}
	r.set.Images = append(r.set.Images, img)
	return nil
}

// objects returns the shapes of a picture that make sense, parts put together.
func (r *reader) objects(shapes []shape, img *dataset.Image) []dataset.Object {
	type key struct {
		group int
		label string
	}
	var all []dataset.Object
	groups := map[key]int{}
	for i, s := range shapes {
		o, err := r.object(s, img)
		if err != nil {
			r.set.Dropf(img.Source, 0, "shape %d: %v", i, err)
			continue
		}
		if s.Group != nil && len(o.Polygons) > 0 {
			k := key{*s.Group, s.Label}
			if at, ok := groups[k]; ok {
				first := &all[at]
				first.Polygons = append(first.Polygons, o.Polygons...)
				first.Box, first.Area = slices.Concat(first.Polygons...).Bounds(), first.OwnArea()
				continue
			}
			groups[k] = len(all)
		}
		all = append(all, o)
	}
	return all
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

func (r *reader) object(s shape, img *dataset.Image) (dataset.Object, error) {
	if s.Label == "" {
		return dataset.Object{}, errors.New("no label")
	}
	var o dataset.Object
	switch s.Type {
	case "rectangle":
		if len(s.Points) != 2 {
			return o, fmt.Errorf("a rectangle of %d points", len(s.Points))
		}
		o.Box = geom.Polygon{at(s, 0), at(s, 1)}.Bounds()
	case "mask":
		rle, err := mask(s, img.W, img.H)
		if err != nil {
			return o, err
		}
		o.RLE, o.Box = rle, rle.Bounds()
	default:
		p, err := outline(s)
		if err == nil {
			err = dataset.CheckPolygon(p)
		}
		if err != nil {
			return o, err
		}
		o.Polygons, o.Box = []geom.Polygon{p}, p.Bounds()
	}
	o.Class, o.Area = r.classes.Class(s.Label), o.OwnArea()
	return o, nil
}

func at(s shape, i int) geom.Point { return geom.Point{X: s.Points[i][0], Y: s.Points[i][1]} }

// outline returns a polygon or circle, which is its centre and a point on the line.
func outline(s shape) (geom.Polygon, error) {
	switch s.Type {
	case "polygon", "": // the first versions knew nothing else
		p := make(geom.Polygon, len(s.Points))
		for i := range p {
			p[i] = at(s, i)
		}
		return p, nil
	case "circle":
		if len(s.Points) != 2 {
			return nil, fmt.Errorf("a circle of %d points", len(s.Points))
		}
		c, q := at(s, 0), at(s, 1)
		radius := math.Hypot(q.X-c.X, q.Y-c.Y)
		return geom.Ellipse(c, radius, radius, 0), nil
	default:
		return nil, fmt.Errorf("a %.30q encloses nothing", s.Type)
	}
}
