// Package coco reads COCO's annotation files for object detection
// (cocodataset.org, "Data format").
package coco

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"trilobite/dataset"
	"trilobite/geom"
)

// maxBytes bounds an annotation file; instances_train2017.json has 470 MB.
const maxBytes = 2 << 30

type file struct {
	Images      []picture    `json:"images"`
	Categories  []category   `json:"categories"`
	Annotations []annotation `json:"annotations"`
}

type picture struct {
	ID       int64  `json:"id"`
	FileName string `json:"file_name"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
}

type category struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type annotation struct {
	ID         int64     `json:"id"`
	ImageID    int64     `json:"image_id"`
	CategoryID int64     `json:"category_id"`
	BBox       []float64 `json:"bbox"` // x, y, width, height
	Area       *float64  `json:"area"`
	IsCrowd    int       `json:"iscrowd"`
}

// Read returns the set that the JSON file annotates, its images below the folder
// images. Classes are the categories in the order of their ids, images in the order of
// theirs, so that evaluations agree with pycocotools on ties.
func Read(annotations, images string) (*dataset.Set, error) {
	f, err := os.Open(annotations)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Parse(io.LimitReader(f, maxBytes), images)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", annotations, err)
	}
	return s, nil
}

// Parse is Read from a stream.
func Parse(r io.Reader, images string) (*dataset.Set, error) {
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, err
	}
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	slices.SortStableFunc(f.Categories, func(a, b category) int { return cmp.Compare(a.ID, b.ID) })
	classes := make(map[int64]int, len(f.Categories))
	for i, c := range f.Categories {
		if _, twice := classes[c.ID]; twice {
			return nil, fmt.Errorf("category %d comes twice", c.ID)
		}
		classes[c.ID] = i
		s.Classes = append(s.Classes, c.Name)
	}
	slices.SortStableFunc(f.Images, func(a, b picture) int { return cmp.Compare(a.ID, b.ID) })
	byID := make(map[int64]int, len(f.Images))
	for i, p := range f.Images {
		if _, twice := byID[p.ID]; twice {
			return nil, fmt.Errorf("image %d comes twice", p.ID)
		}
		path, err := dataset.Path(images, p.FileName)
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", p.ID, err)
		}
		byID[p.ID] = i
		s.Images = append(s.Images, dataset.Image{File: path, W: p.Width, H: p.Height})
	}
	for _, a := range f.Annotations {
		o, err := a.object(classes)
		if err != nil {
			return nil, fmt.Errorf("annotation %d: %w", a.ID, err)
		}
		i, ok := byID[a.ImageID]
		if !ok {
			return nil, fmt.Errorf("annotation %d: there is no image %d", a.ID, a.ImageID)
		}
		s.Images[i].Objects = append(s.Images[i].Objects, o)
	}
	return s, nil
}

func (a annotation) object(classes map[int64]int) (dataset.Object, error) {
	class, ok := classes[a.CategoryID]
	if !ok {
		return dataset.Object{}, fmt.Errorf("there is no category %d", a.CategoryID)
	}
	if len(a.BBox) != 4 {
		return dataset.Object{}, fmt.Errorf("bbox has %d numbers, want 4", len(a.BBox))
	}
	o := dataset.Object{
		Class: class,
		Box:   geom.Rect{X: a.BBox[0], Y: a.BBox[1], W: a.BBox[2], H: a.BBox[3]},
		Crowd: a.IsCrowd != 0,
	}
	if o.Area = o.Box.Area(); a.Area != nil {
		o.Area = *a.Area
	}
	return o, dataset.CheckRect(o.Box)
}
