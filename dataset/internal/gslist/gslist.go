// Package gslist gathers a set from lists whose lines name pictures by gs:// URIs, as
// Google's services import them.
package gslist

import (
	"fmt"
	"io"
	"os"
	"slices"

	"trilobite/dataset"
)

// Find returns the file that a gs:// URI names.
type Find func(uri string) (path string, err error)

// Size returns a picture's size in pixels.
type Size func(path string) (w, h int, err error)

// List is a set in the making.
type List struct {
	Set     *dataset.Set
	Find    Find
	Size    Size
	Classes dataset.Naming
	place   map[string]int // in Set.Images, by URI
}

// New returns an empty List.
func New(find Find, size Size) *List {
	return &List{Set: &dataset.Set{Ignore: dataset.NoIgnore}, Find: find, Size: size, place: map[string]int{}}
}

// Read gives each file, of at most limit bytes, to parse and returns the set, whose classes
// are in alphabetical order. A set without a picture is an error.
func (l *List) Read(paths []string, limit int64, parse func(in io.Reader, name string) error) (*dataset.Set, error) {
	for _, path := range paths {
		if err := read(path, limit, parse); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	if len(l.Set.Images) == 0 {
		why := "it has no lines"
		if len(l.Set.Dropped) > 0 {
			why = l.Set.Dropped[0].String()
		}
		return nil, fmt.Errorf("%s lists no picture that is here: %s", paths[0], why)
	}
	l.Classes.Name(l.Set)
	return l.Set, nil
}

func read(path string, limit int64, parse func(in io.Reader, name string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return parse(dataset.Limit(f, limit, path), path)
}

// Image returns the picture of a URI, which line n of the file called name puts into a
// split: the same for every line that names it. A new one is measured first where that is
// asked for. The result holds until the next call.
func (l *List) Image(uri, split, name string, n int, measured bool) (*dataset.Image, error) {
	i, known := l.place[uri]
	if !known {
		img := dataset.Image{Split: split, Source: name, Line: n}
		var err error
		if img.File, err = l.Find(uri); err != nil {
			return nil, err
		}
		if measured {
			if err := l.Measure(&img); err != nil {
				return nil, err
			}
		}
		i = len(l.Set.Images)
		l.place[uri] = i
		l.Set.Images = append(l.Set.Images, img)
	}
	img := &l.Set.Images[i]
	if img.Split != split {
		return nil, fmt.Errorf("%.200s is in split %q here and in %q before", uri, split, img.Split)
	}
	return img, nil
}

// Measure gives a picture its size, once.
func (l *List) Measure(img *dataset.Image) (err error) {
	if img.W != 0 {
		return nil
	}
	if img.W, img.H, err = l.Size(img.File); err != nil {
		return fmt.Errorf("size of %s: %w", img.File, err)
	}
	return nil
}

// Label gives a picture a class, once.
func (l *List) Label(img *dataset.Image, label string) {
	if label == "" {
		return
	}
	if c := l.Classes.Class(label); !slices.Contains(img.Classes, c) {
		img.Classes = append(img.Classes, c)
	}
}
