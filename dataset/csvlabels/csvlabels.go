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
	Split string // train, val or test, or nothing; may be empty
}

// Read returns the set that a CSV file lists, its images below the folder images and in
// the order of the lines. Lines that make no sense are dropped.
func Read(path, images string, c Columns) (*dataset.Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Parse(io.LimitReader(f, maxBytes), path, images, c)
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
	head, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("heading: %w", err)
	}
	column := map[string]int{"": -1}
	for _, title := range []string{c.File, c.Index, c.Name, c.Split} {
		if title != "" {
			if column[title] = slices.Index(head, title); column[title] < 0 {
				return nil, fmt.Errorf("no column %q in %.200q", title, head)
			}
		}
	}
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	var names []string // by image, where classes have no numbers
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, csv.ErrFieldCount) {
			at, _ := lines.FieldPos(0)
			s.Dropf(name, at, "%d fields, the heading has %d", len(line), len(head))
			continue
		}
		if err != nil {
			return nil, err
		}
		at, _ := lines.FieldPos(0)
		file, err := dataset.Path(images, line[column[c.File]])
		if err != nil {
			s.Dropf(name, at, "%v", err)
			continue
		}
		img := dataset.Image{File: file}
		if c.Split != "" && line[column[c.Split]] != "" {
			split, ok := dataset.SplitOf(line[column[c.Split]])
			if !ok {
				s.Dropf(name, at, "split %.50q is neither train, val nor test", line[column[c.Split]])
				continue
			}
			img.Split = split
		}
		if c.Index == "" {
			names = append(names, line[column[c.Name]])
		} else {
			class, err := strconv.Atoi(line[column[c.Index]])
			if err != nil || class < 0 || class >= maxClasses {
				s.Dropf(name, at, "class %.50q is no number from 0 to %d", line[column[c.Index]], maxClasses-1)
				continue
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
