// Package dataset is what a labelled set of images is, whatever wrote it down. The
// readers, one package per format, are below it.
//
// Readers check what they are given, since annotations come from outside: file names
// stay below the images' folder, boxes are finite, classes exist. One bad sample does
// not spoil a set: it is left out and listed in Set.Dropped with its file, line and
// reason; an error means that nothing can be read. Readers open no images, but for
// their headers where a format leaves sizes to them.
package dataset

import (
	"fmt"
	"path/filepath"

	"trilobite/geom"
	"trilobite/metric"
)

// NoIgnore is Set.Ignore where every mask value is a class.
const NoIgnore = -1

// Set is a number of images with their labels.
type Set struct {
	Classes []string // names by class; "" where a class was never named
	Images  []Image

	// Ignore is the mask value that stands for no class and counts nowhere, or NoIgnore.
	Ignore int
	// Colors gives the class, or Ignore, of each colour of masks that are pictures. Where
	// it is nil, a mask's pixels are numbers.
	Colors map[[3]uint8]int
	// Values gives the class, or Ignore, of each value of masks that have other numbers
	// than the classes. Values that are not in it are errors.
	Values map[int]int

	Dropped []Dropped // what was left out, in the order it was met
	Clipped []Dropped // boxes that were kept, cut at the edge of their picture
}

// Image is one picture and what it shows.
type Image struct {
	File    string // path to open
	Name    string `json:"-"` // in the set, slashed, where it is not File's own; see Title
	Split   string // Train, Val, Test, or "" where the format does not tell
	W, H    int    // pixels as annotated; 0 where the format does not tell
	Classes []int  // of the whole picture
	Objects []Object
	Mask    string // path of the picture's mask; "" where it has none

	// Negative says that somebody looked and found none of the classes; a picture without
	// any may also be one that nobody has labelled.
	Negative bool `json:",omitempty"`

	Source string `json:"-"` // file that lists or annotates the picture; "" where none does
	Line   int    `json:"-"` // in Source, from 1; 0 where it has no lines
}

// Title returns what people call the picture.
func (img *Image) Title() string {
	if img.Name != "" {
		return img.Name
	}
	return filepath.Base(img.File)
}

// Object is a thing in a picture.
type Object struct {
	Class int
	Box   geom.Rect // pixels
	Area  float64   // pixels of its outline, or of the box where that is unknown
	Crowd bool      // a group that was annotated as one

	Difficult bool `json:",omitempty"` // hard to recognise: Pascal VOC counts it neither way
	Truncated bool `json:",omitempty"` // the box holds but a part: the rest is outside the picture
	Occluded  bool `json:",omitempty"` // a part is hidden by something else

	Polygons []geom.Polygon // its outline, in parts; none where it was not drawn
	RLE      *geom.RLE      // its pixels, where they were given instead; else nil

	Line int `json:"-"` // in the picture's Source, from 1; 0 where it has no lines
}

// OwnArea returns the area that a format without areas gives an object: of its pixels, of
// the parts of its outline together, or of its box.
func (o *Object) OwnArea() float64 {
	switch {
	case o.RLE != nil:
		return float64(o.RLE.Area())
	case len(o.Polygons) > 0:
		sum := 0.0
		for _, p := range o.Polygons {
			sum += p.Area()
		}
		return sum
	}
	return o.Box.Area()
}

// Outlined reports whether the object has more than a box.
func (o *Object) Outlined() bool { return o.RLE != nil || len(o.Polygons) > 0 }

// Dropped is a sample, or a part of one, that was left out because it cannot be used.
type Dropped struct {
	File   string // that says so, or that cannot be used
	Line   int    // in File, from 1; 0 where it has no lines
	Reason string
}

// String returns "file:line: reason".
func (d Dropped) String() string {
	if d.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Reason)
	}
	return d.File + ": " + d.Reason
}

// Dropf records that something in file, at line if that is above 0, was left out.
func (s *Set) Dropf(file string, line int, format string, args ...any) {
	s.Dropped = append(s.Dropped, Dropped{file, line, fmt.Sprintf(format, args...)})
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
