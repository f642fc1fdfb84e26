package coco

import (
	"bufio"
	"encoding/json"
	"fmt"

	"trilobite/dataset"
	"trilobite/geom"
)

// Says is what the format can write down.
const Says = dataset.Boxes | dataset.Polygons | dataset.Parts | dataset.Pixels | dataset.OwnBoxes | dataset.Areas | dataset.Parted |
	dataset.Crowds | dataset.ClassOrder | dataset.UnusedClasses | dataset.Unlabelled

// Write writes annotations/instances.json, or instances_train.json and so on where the
// set has splits, and the pictures to images/. Every picture and annotation stands on a
// line of its own.
func Write(out *dataset.Folder, s *dataset.Set) error {
	w := writer{out: out, set: s}
	for _, split := range append([]string{""}, dataset.Splits()...) {
		name := "annotations/instances.json"
		if split != "" {
			name = "annotations/instances_" + split + ".json"
		}
		var images []int
		for i, img := range s.Images {
			if img.Split == split {
				images = append(images, i)
			}
		}
		if len(images) == 0 {
			continue
		}
		if err := out.Write(name, func(b *bufio.Writer) error { return w.file(b, images) }); err != nil {
			return err
		}
	}
	return nil
}

type writer struct {
	out         *dataset.Folder
	set         *dataset.Set
	annotations int // that are written
}

type savedAnnotation struct {
	ID           int        `json:"id"`
	ImageID      int        `json:"image_id"`
	CategoryID   int        `json:"category_id"`
	BBox         [4]float64 `json:"bbox"`
	Area         float64    `json:"area"`
	IsCrowd      int        `json:"iscrowd"`
	Segmentation any        `json:"segmentation"`
}

type compressed struct {
	Counts string `json:"counts"`
	Size   [2]int `json:"size"` // height, width
}

// file writes the pictures of one split, by their places in the set.
func (w *writer) file(b *bufio.Writer, images []int) error {
	fmt.Fprintf(b, "{\"info\": {\"description\": \"exported by Trilobite\", \"date_created\": %q},\n\"categories\": [", w.out.Created)
	for c, name := range w.set.Classes {
		if err := item(b, c == 0, map[string]any{"id": c + 1, "name": name, "supercategory": ""}); err != nil {
			return err
		}
	}
	fmt.Fprint(b, "],\n\"images\": [")
	for k, i := range images {
		img := &w.set.Images[i]
		if err := w.out.Add(img.File, dataset.In(img.Name, "images")); err != nil {
			return err
		}
		if err := item(b, k == 0, map[string]any{"id": i + 1, "file_name": img.Name, "width": img.W, "height": img.H}); err != nil {
			return err
		}
	}
	fmt.Fprint(b, "],\n\"annotations\": [")
	first := true
	for _, i := range images {
		for _, o := range w.set.Images[i].Objects {
			w.annotations++
			a := savedAnnotation{ID: w.annotations, ImageID: i + 1, CategoryID: o.Class + 1, BBox: [4]float64{o.Box.X, o.Box.Y, o.Box.W, o.Box.H},
				Area: o.Area, Segmentation: segmentation(&o)}
			if o.Crowd {
				a.IsCrowd = 1
			}
			if err := item(b, first, a); err != nil {
				return err
			}
			first = false
		}
	}
	_, err := fmt.Fprint(b, "]}\n")
	return err
}

// item writes an element of a list.
func item(b *bufio.Writer, first bool, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	comma := ","
	if first {
		comma = ""
	}
	_, err = fmt.Fprintf(b, "%s\n%s", comma, data)
	return err
}

// segmentation returns an outline as lists of x and y by turns, or pixels as compressed
// run lengths.
func segmentation(o *dataset.Object) any {
	if o.RLE != nil {
		return compressed{o.RLE.String(), [2]int{o.RLE.H, o.RLE.W}}
	}
	parts := [][]float64{}
	for _, p := range o.Polygons {
		parts = append(parts, flat(p))
	}
	return parts
}

func flat(p geom.Polygon) []float64 {
	v := make([]float64, 0, 2*len(p))
	for _, q := range p {
		v = append(v, q.X, q.Y)
	}
	return v
}
