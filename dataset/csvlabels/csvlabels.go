// Package csvlabels reads data sets for classification from a CSV file with a heading,
// a line per image.
package csvlabels

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"trilobite/dataset"
)

// Limits of a file from outside.
const (
	maxBytes   = 256 << 20
	maxClasses = 1 << 16
)

// Columns names the columns to read, as the heading spells them.
type Columns struct {
	File string // image, below the folder of images
	// Index is the class's number. Where it is empty, classes are numbered by their
	// names in alphabetical order.
	Index string
	Name  string // the class's name; may be empty where Index is not
}

// Read returns the set that a CSV file lists, its images below the folder images and in
// the order of the lines.
func Read(path, images string, c Columns) (*dataset.Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Parse(io.LimitReader(f, maxBytes), images, c)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// Parse is Read from a stream.
func Parse(r io.Reader, images string, c Columns) (*dataset.Set, error) {
	if c.File == "" || c.Index == "" && c.Name == "" {
		return nil, errors.New("columns for the file, and for the class's number or name, are required")
	}
	lines := csv.NewReader(r)
	head, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("heading: %w", err)
	}
	column := map[string]int{"": -1}
	for _, name := range []string{c.File, c.Index, c.Name} {
		if name != "" {
			if column[name] = slices.Index(head, name); column[name] < 0 {
				return nil, fmt.Errorf("no column %q in %.200q", name, head)
			}
		}
	}
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	var names []string // by image, where classes have no numbers
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		at, _ := lines.FieldPos(0)
		file, err := dataset.Path(images, line[column[c.File]])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", at, err)
		}
		img := dataset.Image{File: file}
		if c.Index == "" {
			names = append(names, line[column[c.Name]])
		} else {
			class, err := strconv.Atoi(line[column[c.Index]])
			if err != nil || class < 0 || class >= maxClasses {
				return nil, fmt.Errorf("line %d: class %.50q is no number from 0 to %d", at, line[column[c.Index]], maxClasses-1)
			}
			img.Classes = []int{class}
			for len(s.Classes) <= class {
				s.Classes = append(s.Classes, "")
			}
			if c.Name != "" {
				s.Classes[class] = line[column[c.Name]]
			}
		}
		s.Images = append(s.Images, img)
	}
	if c.Index == "" {
		number(s, names)
	}
	return s, nil
}

// number gives each image the place of its name among all names.
func number(s *dataset.Set, names []string) {
	s.Classes = slices.Compact(slices.Sorted(slices.Values(names)))
	for i, name := range names {
		class, _ := slices.BinarySearch(s.Classes, name)
		s.Images[i].Classes = []int{class}
	}
}
