// Package dataset is what a labelled set of images is, whatever wrote it down. The
// readers, one package per format, are below it: coco, yolo, csvlabels.
//
// Readers check what they are given, since annotations come from outside: file names
// stay below the images' folder, boxes are finite, classes exist. They open no images.
package dataset

import (
	"fmt"
	"math"
	"path/filepath"

	"trilobite/geom"
	"trilobite/metric"
)

// Set is a number of images with their labels.
type Set struct {
	Classes []string // names by class; "" where a class was never named
	Images  []Image
}

// Image is one picture and what it shows.
type Image struct {
	File    string // path to open
	W, H    int    // pixels as annotated; 0 where the format does not tell
	Classes []int  // of the whole picture
	Objects []Object
}

// Object is a thing in a picture.
type Object struct {
	Class int
	Box   geom.Rect // pixels
	Area  float64   // pixels of its outline, or of the box where that is unknown
	Crowd bool      // a group that was annotated as one
}

// Truth returns the objects as metric.COCOBoxes takes them; the image of an object is
// its index in Images.
func (s *Set) Truth() []metric.Truth {
	var out []metric.Truth
	for i, img := range s.Images {
		for _, o := range img.Objects {
			out = append(out, metric.Truth{Image: i, Class: o.Class, Box: o.Box, Area: o.Area, Crowd: o.Crowd})
		}
	}
	return out
}

// Path returns the path of an annotated file name inside dir. It fails where the name
// leads out of it.
func Path(dir, name string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fmt.Errorf("file name %.200q leads out of the images' folder", name)
	}
	return filepath.Join(dir, filepath.FromSlash(name)), nil
}

// CheckRect fails unless r is finite and its sides are not negative. Empty boxes, which
// real data sets have, pass.
func CheckRect(r geom.Rect) error {
	for _, v := range [...]float64{r.X, r.Y, r.W, r.H} {
		if math.IsNaN(v) || math.Abs(v) > 1e9 {
			return fmt.Errorf("box %v is not finite", r)
		}
	}
	if r.W < 0 || r.H < 0 {
		return fmt.Errorf("box %v has a negative side", r)
	}
	return nil
}
