// Package yolo reads data sets in the layout of the YOLO trainers: a folder of images,
// a folder with one text file for each, and a YAML file with the classes' names
// (docs.ultralytics.com/datasets/detect).
package yolo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"trilobite/dataset"
	"trilobite/geom"
)

// Limits of a label file and of the YAML file.
const (
	maxBytes   = 16 << 20
	maxYAML    = 1 << 20 // the parser takes quadratic time on some texts: 10 s for 4 MB
	maxClasses = 1 << 16
)

// Layout says where the parts of a data set are.
type Layout struct {
	Images  string // folder of pictures, not searched deeper
	Labels  string // folder of NAME.txt; a picture without one shows nothing
	Classes string // YAML file with the key "names", a list or a map by number
}

// SizeFunc returns the width and height of an image file in pixels, as the boxes were
// drawn: upright where the trainer turned pictures by their EXIF orientation.
type SizeFunc func(path string) (w, h int, err error)

// Read returns the set, images in the order of their names. size is asked for the
// pictures that have boxes, which the format gives as fractions.
func Read(l Layout, size SizeFunc) (*dataset.Set, error) {
	names, err := readClasses(l.Classes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.Classes, err)
	}
	s := &dataset.Set{Classes: names, Ignore: dataset.NoIgnore}
	files, err := os.ReadDir(l.Images) // sorted
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		ext := filepath.Ext(f.Name())
		if f.IsDir() || !dataset.IsImageName(f.Name()) {
			continue
		}
		img := dataset.Image{File: filepath.Join(l.Images, f.Name())}
		labels := filepath.Join(l.Labels, strings.TrimSuffix(f.Name(), ext)+".txt")
		boxes, err := readLabels(labels, len(names))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", labels, err)
		}
		if len(boxes) > 0 {
			if img.W, img.H, err = size(img.File); err != nil {
				return nil, fmt.Errorf("size of %s: %w", img.File, err)
			}
			img.Objects = inPixels(boxes, float64(img.W), float64(img.H))
		}
		s.Images = append(s.Images, img)
	}
	if len(s.Images) == 0 {
		return nil, fmt.Errorf("no images in %s", l.Images)
	}
	return s, nil
}

func readLabels(path string, classes int) ([]dataset.Object, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseLabels(io.LimitReader(f, maxBytes), classes)
}

// ParseLabels returns the objects of one label file, each line a class and the centre,
// width and height of its box. Boxes stay fractions of the picture, as corner and size.
func ParseLabels(r io.Reader, classes int) ([]dataset.Object, error) {
	var out []dataset.Object
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		f := strings.Fields(lines.Text())
		if len(f) == 0 {
			continue
		}
		o, err := parseLine(f, classes)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, o)
	}
	return out, lines.Err()
}

func parseLine(f []string, classes int) (dataset.Object, error) {
	if len(f) != 5 {
		return dataset.Object{}, fmt.Errorf("%d fields, want a class and four numbers", len(f))
	}
	class, err := strconv.Atoi(f[0])
	if err != nil {
		return dataset.Object{}, fmt.Errorf("class %.50q is no number", f[0])
	}
	if class < 0 || class >= classes {
		return dataset.Object{}, fmt.Errorf("class %d, there are %d", class, classes)
	}
	var v [4]float64
	for i := range v {
		if v[i], err = strconv.ParseFloat(f[i+1], 64); err != nil {
			return dataset.Object{}, fmt.Errorf("%.50q is no number", f[i+1])
		}
		if !(v[i] >= 0 && v[i] <= 1) {
			return dataset.Object{}, fmt.Errorf("%v is no fraction of the picture", v[i])
		}
	}
	return dataset.Object{Class: class, Box: geom.Rect{X: v[0] - v[2]/2, Y: v[1] - v[3]/2, W: v[2], H: v[3]}}, nil
}

func inPixels(fractions []dataset.Object, w, h float64) []dataset.Object {
	for i := range fractions {
		o := &fractions[i]
		o.Box = geom.Rect{X: o.Box.X * w, Y: o.Box.Y * h, W: o.Box.W * w, H: o.Box.H * h}
		o.Area = o.Box.Area()
	}
	return fractions
}

func readClasses(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxYAML+1))
	if err != nil {
		return nil, err
	}
	return ParseClasses(data)
}

// ParseClasses returns the names under the key "names" of a data set's YAML file, a
// list or a map from number to name.
func ParseClasses(data []byte) ([]string, error) {
	if len(data) > maxYAML {
		return nil, fmt.Errorf("more than %d bytes", maxYAML)
	}
	var list struct {
		Names []string `yaml:"names"`
	}
	if err := yaml.Unmarshal(data, &list); err == nil && len(list.Names) > 0 {
		return list.Names, nil
	}
	var byNumber struct {
		Names map[int]string `yaml:"names"`
	}
	if err := yaml.Unmarshal(data, &byNumber); err != nil {
		return nil, fmt.Errorf("names are neither a list nor a map by number: %w", err)
	}
	if len(byNumber.Names) == 0 {
		return nil, errors.New("there are no names")
	}
	var names []string
	for class, name := range byNumber.Names {
		if class < 0 || class >= maxClasses {
			return nil, fmt.Errorf("class %d is out of range", class)
		}
		for len(names) <= class {
			names = append(names, "")
		}
		names[class] = name
	}
	return names, nil
}
