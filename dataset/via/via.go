// Package via reads the polygons of the VGG Image Annotator: its annotation JSON and its
// project files, versions 1 and 2 (www.robots.ox.ac.uk/~vgg/software/via).
package via

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/internal/jsonstream"
	"trilobite/geom"
)

// maxBytes bounds an annotation file.
const maxBytes = 1 << 30

// Unnamed is the class of regions without attributes.
const Unnamed = "object"

type picture struct {
	Filename string          `json:"filename"`
	Regions  json.RawMessage `json:"regions"` // a list, or a map by number in version 1
}

type region struct {
	Shape struct {
		Name   string    `json:"name"`
		X      float64   `json:"x"`
		Y      float64   `json:"y"`
		Width  float64   `json:"width"`
		Height float64   `json:"height"`
		CX     float64   `json:"cx"`
		CY     float64   `json:"cy"`
		R      float64   `json:"r"`
		RX     float64   `json:"rx"`
		RY     float64   `json:"ry"`
		Theta  float64   `json:"theta"` // radians
		AllX   []float64 `json:"all_points_x"`
		AllY   []float64 `json:"all_points_y"`
	} `json:"shape_attributes"`
	Attributes map[string]json.RawMessage `json:"region_attributes"`
}

// Read returns the set that the JSON file annotates, its pictures directly in the folder
// images, in the order of the file. The class of a region is its attribute "class",
// "label", "name", "type" or "category", or the only one it has, or Unnamed. Polygons,
// rectangles, circles and ellipses are objects; other shapes are dropped.
//
// Sizes are not in the file: size is asked for them.
func Read(annotations, images string, size func(path string) (w, h int, err error)) (*dataset.Set, error) {
	f, err := os.Open(annotations)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	r := &reader{set: s, name: annotations, find: finder(images), size: size}
	if err := r.read(f); err != nil {
		return nil, fmt.Errorf("reading %s: %w", annotations, err)
	}
	if len(s.Images) == 0 {
		return nil, fmt.Errorf("%s annotates none of the pictures in %s", annotations, images)
	}
	return s, nil
}

// finder returns where a picture is; names may differ in case, as they do where files
// were copied between systems.
func finder(dir string) func(name string) (string, error) {
	byName := map[string]string{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() {
			byName[strings.ToLower(e.Name())] = e.Name()
		}
	}
	return func(name string) (string, error) {
		if err != nil {
			return "", err
		}
		found, ok := byName[strings.ToLower(name)]
		if !ok {
			return "", fmt.Errorf("there is no picture %.200q in %s", name, dir)
		}
		return filepath.Join(dir, found), nil
	}
}

type reader struct {
	set  *dataset.Set
	name string
	find func(string) (string, error)
	size func(string) (int, int, error)

	in      *jsonstream.Reader
	classes dataset.Naming
}

func (r *reader) read(f io.Reader) error {
	r.in = jsonstream.New(f, maxBytes)
	project := false
	err := r.in.Object(func(key string) error {
		if key == "_via_img_metadata" {
			project = true
			r.set.Images, r.set.Dropped = nil, nil // what came before was settings
			return r.in.Object(func(string) error { return r.picture() })
		}
		if project || strings.HasPrefix(key, "_via_") {
			_, err := r.in.Raw()
			return err
		}
		return r.picture()
	})
	if err != nil {
		return err
	}
	r.classes.Name(r.set)
	return nil
}

// picture reads one picture with its regions.
func (r *reader) picture() error {
	var p picture
	bad, err := r.in.Value(&p)
	if err != nil {
		return err
	}
	line := r.in.Line()
	if bad == nil && p.Filename == "" {
		bad = errors.New("no filename")
	}
	img := dataset.Image{Source: r.name, Line: line}
	if bad == nil {
		img.File, bad = r.find(p.Filename)
	}
	if bad == nil {
		if img.W, img.H, bad = r.size(img.File); bad != nil {
			bad = fmt.Errorf("size of %s: %w", img.File, bad)
		}
	}
	var regions []region
	if bad == nil {
		regions, bad = listRegions(p.Regions)
	}
	if bad != nil {
		r.set.Dropf(r.name, line, "%v", bad)
		return nil
	}
	for i, g := range regions {
		o, err := r.object(g)
		if err != nil {
			r.set.Dropf(r.name, line, "%s, region %d: %v", p.Filename, i, err)
			continue
		}
		r.set.Add(&img, o, r.name, line)
	}
	r.set.Images = append(r.set.Images, img)
	return nil
}

func listRegions(raw json.RawMessage) ([]region, error) {
	if len(raw) == 0 || raw[0] != '{' {
		var list []region
		if len(raw) == 0 {
			return nil, nil
		}
		return list, json.Unmarshal(raw, &list)
	}
	var byNumber map[string]region
	if err := json.Unmarshal(raw, &byNumber); err != nil {
		return nil, err
	}
	var list []region
	for _, k := range slices.Sorted(maps.Keys(byNumber)) {
		list = append(list, byNumber[k])
	}
	return list, nil
}

func (r *reader) object(g region) (dataset.Object, error) {
	p, err := outline(g)
	if err != nil {
		return dataset.Object{}, err
	}
	if err := dataset.CheckPolygon(p); err != nil {
		return dataset.Object{}, err
	}
	return dataset.Object{Class: r.classes.Class(className(g.Attributes)), Box: p.Bounds(), Area: p.Area(), Polygons: []geom.Polygon{p}}, nil
}

// outline returns a region as a polygon.
func outline(g region) (geom.Polygon, error) {
	s := g.Shape
	switch s.Name {
	case "polygon", "polyline":
		if s.Name == "polyline" {
			return nil, errors.New("a polyline encloses nothing")
		}
		if len(s.AllX) != len(s.AllY) {
			return nil, fmt.Errorf("%d x and %d y", len(s.AllX), len(s.AllY))
		}
		p := make(geom.Polygon, len(s.AllX))
		for i := range p {
			p[i] = geom.Point{X: s.AllX[i], Y: s.AllY[i]}
		}
		return p, nil
	case "rect":
		return geom.Rect{X: s.X, Y: s.Y, W: s.Width, H: s.Height}.Polygon(), nil
	case "circle", "ellipse":
		rx, ry := s.RX, s.RY
		if s.Name == "circle" {
			rx, ry = s.R, s.R
		}
		return geom.Ellipse(geom.Point{X: s.CX, Y: s.CY}, rx, ry, s.Theta), nil
	default:
		return nil, fmt.Errorf("a %.30q encloses nothing", s.Name)
	}
}

// className returns the class that a region's attributes say.
func className(attributes map[string]json.RawMessage) string {
	for _, key := range []string{"class", "label", "name", "type", "category"} {
		for k, raw := range attributes {
			if strings.EqualFold(k, key) {
				if v := text(raw); v != "" {
					return v
				}
			}
		}
	}
	if len(attributes) == 1 {
		for _, raw := range attributes {
			if v := text(raw); v != "" {
				return v
			}
		}
	}
	return Unnamed
}

// text returns an attribute's value: a string, or the first choice that is ticked.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return strings.TrimSpace(s)
	}
	var ticked map[string]bool
	if json.Unmarshal(raw, &ticked) == nil {
		for _, k := range slices.Sorted(maps.Keys(ticked)) {
			if ticked[k] {
				return k
			}
		}
	}
	return ""
}
