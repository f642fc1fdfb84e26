// Package csvlabels reads and writes data sets that are a CSV file with a heading: a line
// for each label of a picture, or for each box.
package csvlabels

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"trilobite/dataset"
	"trilobite/geom"
)

// Limits of a file from outside.
const (
	maxBytes   = 1 << 30
	maxClasses = 1 << 16
)

// Columns names the columns to read, as the heading spells them.
type Columns struct {
	File string // image, below the folder of images
	// Index is the class's number. Where it is empty, classes are numbered by their
	// names in alphabetical order.
	Index string
	Name  string // the class's name; may be empty where Index is not
	Split string // train, val or test, or nothing; may be empty
	// Box is left, top, right and bottom in pixels; all or none.
	Box [4]string
}

// Read returns the set that a CSV file lists, its images below the folder images and in
// the order of the lines that are first to name them. A line without class says that the
// picture shows nothing; a line with corners is a box, one without a label of the whole
// picture. Lines that make no sense are dropped.
func Read(path, images string, c Columns) (*dataset.Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Parse(dataset.Limit(f, maxBytes, path), path, images, c)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// Parse is Read from a stream; name is what Dropped calls it.
func Parse(r io.Reader, name, images string, c Columns) (*dataset.Set, error) {
	if c.File == "" || c.Index == "" && c.Name == "" {
		return nil, errors.New("columns for the file, and for the class's number or name, are required")
	}
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	head, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("heading: %w", err)
	}
	head = slices.Clone(head)
	p := parser{Columns: c, set: &dataset.Set{Ignore: dataset.NoIgnore}, name: name, images: images,
		column: map[string]int{}, place: map[string]int{}, negative: map[int]bool{}}
	for _, title := range append([]string{c.File, c.Index, c.Name, c.Split}, c.Box[:]...) {
		if title != "" {
			if p.column[title] = slices.Index(head, title); p.column[title] < 0 {
				return nil, fmt.Errorf("no column %q in %.200q", title, head)
			}
		}
	}
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return nil, err
		}
		at, _ := lines.FieldPos(0)
		if err != nil {
			err = fmt.Errorf("%d fields, the heading has %d", len(line), len(head))
		} else {
			err = p.line(line, at)
		}
		if err != nil {
			p.set.Dropf(name, at, "%v", err)
		}
	}
	if c.Index == "" {
		p.classes.Name(p.set)
	}
	for i := range p.set.Images {
		img := &p.set.Images[i]
		img.Negative = len(img.Classes) == 0 && len(img.Objects) == 0 && p.negative[i]
	}
	return p.set, nil
}

type parser struct {
	Columns
	set          *dataset.Set
	name, images string
	column       map[string]int
	place        map[string]int // in set.Images, by path
	negative     map[int]bool   // pictures that a line without class says show nothing
	classes      dataset.Naming
}

// line reads one line, at its number.
func (p *parser) line(line []string, at int) error {
	get := func(title string) string {
		if title == "" {
			return ""
		}
		return line[p.column[title]]
	}
	file, err := dataset.Path(p.images, get(p.File))
	if err != nil {
		return err
	}
	split := ""
	if text := get(p.Split); text != "" {
		var ok bool
		if split, ok = dataset.SplitOf(text); !ok {
			return fmt.Errorf("split %.50q is neither train, val nor test", text)
		}
	}
	corners, boxed, err := p.corners(get)
	if err != nil {
		return err
	}
	class, some, err := p.class(get(p.Index), get(p.Name))
	if err != nil {
		return err
	}
	if boxed && !some {
		return errors.New("a box without a class")
	}
	i, known := p.place[file]
	if !known {
		i = len(p.set.Images)
		p.place[strings.Clone(file)] = i
		p.set.Images = append(p.set.Images, dataset.Image{File: file, Split: split, Source: p.name, Line: at})
	}
	img := &p.set.Images[i]
	switch {
	case img.Split != split:
		return fmt.Errorf("%.100s is in split %q here and in %q on line %d", get(p.File), split, img.Split, img.Line)
	case boxed:
		p.set.Add(img, dataset.Object{Class: class, Box: corners, Area: corners.Area()}, p.name, at)
	case !some:
		p.negative[i] = true
	case !slices.Contains(img.Classes, class):
		img.Classes = append(img.Classes, class)
	}
	return nil
}

// class returns the class of a line, if it has one.
func (p *parser) class(index, name string) (class int, some bool, err error) {
	if p.Index == "" {
		if name == "" {
			return 0, false, nil
		}
		return p.classes.Class(strings.Clone(name)), true, nil
	}
	if index == "" {
		return 0, false, nil
	}
	class, err = strconv.Atoi(index)
	if err != nil || class < 0 || class >= maxClasses {
		return 0, false, fmt.Errorf("class %.50q is no number from 0 to %d", index, maxClasses-1)
	}
	for len(p.set.Classes) <= class {
		p.set.Classes = append(p.set.Classes, "")
	}
	if p.Name != "" {
		p.set.Classes[class] = strings.Clone(name)
	}
	return class, true, nil
}

// corners returns the box of a line, if it has one.
func (p *parser) corners(get func(string) string) (r geom.Rect, boxed bool, err error) {
	if p.Box[0] == "" {
		return r, false, nil
	}
	var v [4]float64
	empty := 0
	for i, title := range p.Box {
		text := strings.TrimSpace(get(title))
		if text == "" {
			empty++
			continue
		}
		if v[i], err = strconv.ParseFloat(text, 64); err != nil {
			return r, false, fmt.Errorf("%s: %.50q is no number", title, text)
		}
	}
	switch empty {
	case len(v):
		return r, false, nil
	case 0:
		return geom.Rect{X: v[0], Y: v[1], W: v[2] - v[0], H: v[3] - v[1]}, true, nil
	}
	return r, false, fmt.Errorf("a box with %d of 4 corners", len(v)-empty)
}
