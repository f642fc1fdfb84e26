// Package automl reads and writes the CSV files with which AutoML Vision and Vertex AI
// import images: a line for each picture with its labels, or for each box
//
//	TRAIN,gs://bucket/1.jpg,ant,bee
//	TRAIN,gs://bucket/1.jpg,ant,0.1,0.1,,,0.3,0.4,,
//
// with two opposite corners of the box or all four, as fractions of the picture
// (cloud.google.com/vision/automl/docs/prepare and
// cloud.google.com/vision/automl/object-detection/docs/csv-format). The first column may be
// missing.
package automl

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/internal/gslist"
	"trilobite/geom"
)

// maxBytes bounds a file from outside.
const maxBytes = 1 << 30

// Is reports whether a file's first line is one of this format.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	lines := csv.NewReader(io.LimitReader(f, 1<<20))
	lines.FieldsPerRecord = -1
	line, err := lines.Read()
	if err != nil || len(line) == 0 {
		return false
	}
	_, ok := use(line[0])
	return ok && len(line) > 1 && dataset.IsImageName(line[1]) || strings.HasPrefix(line[0], "gs://")
}

// use reads the first column.
func use(text string) (split string, ok bool) {
	switch t := strings.ToUpper(strings.TrimSpace(text)); t {
	case "", "UNASSIGNED":
		return "", true
	case "VALIDATE":
		return dataset.Val, true
	default:
		return dataset.SplitOf(t)
	}
}

// Read returns the set of all files together: a picture that several lines name has what
// all say. Classes are the labels that occur, in alphabetical order. Lines that make no
// sense are dropped.
func Read(paths []string, find gslist.Find, size gslist.Size) (*dataset.Set, error) {
	r := &reader{gslist.New(find, size)}
	return r.Read(paths, maxBytes, r.parse)
}

type reader struct{ *gslist.List }

func (r *reader) parse(in io.Reader, name string) error {
	lines := csv.NewReader(in)
	lines.FieldsPerRecord = -1
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at, _ := lines.FieldPos(0)
		if err := r.line(line, name, at); err != nil {
			r.Set.Dropf(name, at, "%v", err)
		}
	}
}

// line reads the line at number n of the file called name.
func (r *reader) line(cells []string, name string, n int) error {
	split := ""
	if !dataset.IsImageName(cells[0]) {
		var ok bool
		if split, ok = use(cells[0]); !ok {
			return fmt.Errorf("%.50q is neither TRAIN, VALIDATION, TEST nor UNASSIGNED", cells[0])
		}
		cells = cells[1:]
	}
	if len(cells) == 0 || cells[0] == "" {
		return errors.New("there is no picture")
	}
	uri := cells[0]
	img, err := r.Image(uri, split, name, n, false)
	if err != nil {
		return err
	}
	if cells = cells[1:]; isBox(cells) {
		return r.box(img, cells, name, n)
	}
	for _, label := range cells {
		r.Label(img, label)
	}
	return nil
}

// isBox reports whether a label is followed by corners.
func isBox(cells []string) bool {
	if len(cells) < 7 || len(cells) > 9 {
		return false
	}
	for _, c := range cells[1:] {
		if _, err := strconv.ParseFloat(c, 64); err != nil && c != "" {
			return false
		}
	}
	return cells[0] != "" && cells[1] != ""
}

func (r *reader) box(img *dataset.Image, cells []string, name string, n int) error {
	if err := r.Measure(img); err != nil {
		return err
	}
	var corners geom.Polygon
	for i := 1; i+1 < len(cells); i += 2 {
		if cells[i] == "" || cells[i+1] == "" {
			continue
		}
		x, errX := strconv.ParseFloat(cells[i], 64)
		y, errY := strconv.ParseFloat(cells[i+1], 64)
		if err := errors.Join(errX, errY); err != nil {
			return err
		}
		corners = append(corners, geom.Point{X: x * float64(img.W), Y: y * float64(img.H)})
	}
	if len(corners) < 2 {
		return fmt.Errorf("a box of %d corners", len(corners))
	}
	b := corners.Bounds()
	r.Set.Add(img, dataset.Object{Class: r.Classes.Class(cells[0]), Box: b, Area: b.Area()}, name, n)
	return nil
}
