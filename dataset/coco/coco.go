// Package coco reads COCO's annotation files for object detection and instance
// segmentation (cocodataset.org, "Data format").
package coco

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"trilobite/dataset"
	"trilobite/dataset/internal/jsonstream"
	"trilobite/geom"
)

// maxBytes bounds an annotation file; instances_train2017.json has 470 MB.
const maxBytes = 2 << 30

type file struct {
	images      []picture
	categories  []category
	annotations []annotation
}

type picture struct {
	ID       int64  `json:"id"`
	FileName string `json:"file_name"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	line     int
}

type category struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type annotation struct {
	ID           int64           `json:"id"`
	ImageID      int64           `json:"image_id"`
	CategoryID   int64           `json:"category_id"`
	BBox         []float64       `json:"bbox"` // x, y, width, height
	Area         *float64        `json:"area"`
	IsCrowd      int             `json:"iscrowd"`
	Segmentation json.RawMessage `json:"segmentation"`
	line         int
}

// Read returns the set that the JSON file annotates, its images below the folder
// images. Classes are the categories in the order of their ids, images in the order of
// theirs, so that evaluations agree with pycocotools on ties. An annotation that makes no
// sense is dropped; an outline that makes none leaves its box.
func Read(annotations, images string) (*dataset.Set, error) {
	f, err := os.Open(annotations)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Parse(f, annotations, images)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", annotations, err)
	}
	return s, nil
}

// Parse is Read from a stream; name is what Dropped calls it.
func Parse(r io.Reader, name, images string) (*dataset.Set, error) {
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	f, err := decode(r, name, s)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.categories, func(a, b category) int { return cmp.Compare(a.ID, b.ID) })
	classes := make(map[int64]int, len(f.categories))
	for i, c := range f.categories {
		if _, twice := classes[c.ID]; twice {
			return nil, fmt.Errorf("category %d comes twice", c.ID)
		}
		classes[c.ID] = i
		s.Classes = append(s.Classes, c.Name)
	}
	slices.SortStableFunc(f.images, func(a, b picture) int { return cmp.Compare(a.ID, b.ID) })
	byID := make(map[int64]int, len(f.images)) // -1: dropped
	for _, p := range f.images {
		if _, twice := byID[p.ID]; twice {
			return nil, fmt.Errorf("line %d: image %d comes twice", p.line, p.ID)
		}
		byID[p.ID] = -1
		path, err := dataset.Path(images, p.FileName)
		switch {
		case err != nil:
			s.Dropf(name, p.line, "image %d: %v", p.ID, err)
		case p.Width < 0 || p.Height < 0:
			s.Dropf(name, p.line, "image %d has %d×%d pixels", p.ID, p.Width, p.Height)
		default:
			byID[p.ID] = len(s.Images)
			s.Images = append(s.Images, dataset.Image{File: path, W: p.Width, H: p.Height, Source: name, Line: p.line})
		}
	}
	for _, a := range f.annotations {
		class, ok := classes[a.CategoryID]
		if !ok {
			s.Dropf(name, a.line, "annotation %d: there is no category %d", a.ID, a.CategoryID)
			continue
		}
		i, ok := byID[a.ImageID]
		if !ok {
			s.Dropf(name, a.line, "annotation %d: there is no image %d", a.ID, a.ImageID)
		}
		if ok && i >= 0 {
			a.add(s, &s.Images[i], class, name)
		}
	}
	return s, nil
}

// decode reads the three lists, dropping from them what is of another form.
func decode(r io.Reader, name string, s *dataset.Set) (file, error) {
	var f file
	in := jsonstream.New(r, maxBytes)
	err := in.Object(func(key string) error {
		switch key {
		case "images":
			return list(in, name, s, func(p picture) { p.line = in.Line(); f.images = append(f.images, p) })
		case "categories":
			return list(in, name, s, func(c category) { f.categories = append(f.categories, c) })
		case "annotations":
			return list(in, name, s, func(a annotation) { a.line = in.Line(); f.annotations = append(f.annotations, a) })
		default:
			_, err := in.Raw()
			return err
		}
	})
	return f, err
}

func list[T any](in *jsonstream.Reader, name string, s *dataset.Set, add func(T)) error {
	return in.Array(func() error {
		var v T
		bad, err := in.Value(&v)
		switch {
		case err != nil:
			return err
		case bad != nil:
			s.Dropf(name, in.Line(), "%v", bad)
		default:
			add(v)
		}
		return nil
	})
}

// add gives img the annotated object.
func (a annotation) add(s *dataset.Set, img *dataset.Image, class int, name string) {
	o := dataset.Object{Class: class, Crowd: a.IsCrowd != 0}
	var err error
	if o.Polygons, o.RLE, err = outline(a.Segmentation, img); err != nil {
		s.Dropf(name, a.line, "annotation %d: outline: %v", a.ID, err)
	}
	switch {
	case len(a.BBox) == 4:
		o.Box = geom.Rect{X: a.BBox[0], Y: a.BBox[1], W: a.BBox[2], H: a.BBox[3]}
	case len(a.BBox) == 0 && len(o.Polygons) > 0:
		o.Box = slices.Concat(o.Polygons...).Bounds()
	case len(a.BBox) == 0 && o.RLE != nil:
		o.Box = o.RLE.Bounds()
	default:
		s.Dropf(name, a.line, "annotation %d: bbox has %d numbers, want 4", a.ID, len(a.BBox))
		return
	}
	if o.Area = o.Box.Area(); a.Area != nil {
		o.Area = *a.Area
	}
	s.Add(img, o, name, a.line)
}
