// Package yolo reads data sets in the layout of the YOLO trainers: a folder of images,
// a folder with one text file for each, and a YAML file with the classes' names
// (docs.ultralytics.com/datasets/detect and /segment); or darknet's lists (ReadDarknet).
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
	maxLine    = 1 << 20
	maxYAML    = 1 << 20 // the parser takes quadratic time on some texts: 10 s for 4 MB
	maxClasses = 1 << 16
)

// Part is a folder of pictures with its labels.
type Part struct {
	Split  string // dataset.Train and so on, or ""
	Images string // folder of pictures, not searched deeper
	Labels string // folder of NAME.txt; a picture without one shows nothing
}

// SizeFunc returns the width and height of an image file in pixels, as the boxes were
// drawn: upright where the trainer turned pictures by their EXIF orientation.
type SizeFunc func(path string) (w, h int, err error)

// Read returns the set, parts in their order, images in the order of their names. classes
// is a YAML file with the key "names", a list or a map by number. size is asked for the
// pictures that have boxes, which the format gives as fractions. A line that makes no
// sense is dropped, and so is a picture whose size cannot be told.
func Read(classes string, parts []Part, size SizeFunc) (*dataset.Set, error) {
	names, err := readClasses(classes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", classes, err)
	}
	s := &dataset.Set{Classes: names, Ignore: dataset.NoIgnore}
	for _, p := range parts {
		if err := p.read(s, size); err != nil {
			return nil, err
		}
		if len(s.Images) == 0 && len(s.Dropped) == 0 {
			return nil, fmt.Errorf("no images in %s", p.Images)
		}
	}
	return s, nil
}

func (p Part) read(s *dataset.Set, size SizeFunc) error {
	files, err := os.ReadDir(p.Images) // sorted
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.IsDir() || !dataset.IsImageName(f.Name()) || dataset.IsHidden(f.Name()) {
			continue
		}
		labels := filepath.Join(p.Labels, dataset.Stem(f.Name())+".txt")
		if err := addPicture(s, filepath.Join(p.Images, f.Name()), p.Split, labels, size); err != nil {
			return err
		}
	}
	return nil
}

// addPicture adds a picture with the objects of its label file, if there is one.
func addPicture(s *dataset.Set, file, split, labels string, size SizeFunc) error {
	img := dataset.Image{File: file, Split: split}
	lines, err := readLabels(s, labels)
	if err != nil {
		return fmt.Errorf("reading %s: %w", labels, err)
	}
	if lines != nil {
		img.Source = labels
	}
	if len(lines) > 0 {
		if img.W, img.H, err = size(img.File); err != nil {
			s.Dropf(img.File, 0, "its size cannot be read: %v", err)
			return nil
		}
		for _, l := range lines {
			s.Add(&img, l.object(float64(img.W), float64(img.H)), labels, l.number)
		}
	}
	s.Images = append(s.Images, img)
	return nil
}

func readLabels(s *dataset.Set, path string) ([]line, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseLabels(dataset.Limit(f, maxBytes, path), path, s)
}

// line is an object in fractions of its picture.
type line struct {
	number  int // from 1
	class   int
	box     geom.Rect
	outline geom.Polygon // nil where the line is a box
}

// parseLabels returns the objects of one label file and drops from s the lines that are
// none. A line is a class and either the centre, width and height of its box or three or
// more points of its outline, all as fractions of the picture.
func parseLabels(r io.Reader, name string, s *dataset.Set) ([]line, error) {
	out := []line{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		f := strings.Fields(lines.Text())
		if len(f) == 0 {
			continue
		}
		l, err := parseLine(f, len(s.Classes))
		if err != nil {
			s.Dropf(name, n, "%v", err)
			continue
		}
		l.number = n
		out = append(out, l)
	}
	return out, lines.Err()
}

func parseLine(f []string, classes int) (line, error) {
	if len(f) != 5 && (len(f) < 7 || len(f)%2 == 0) {
		return line{}, fmt.Errorf("%d fields, want a class and either four numbers or three points and more", len(f))
	}
	class, err := strconv.Atoi(f[0])
	if err != nil {
		return line{}, fmt.Errorf("class %.50q is no number", f[0])
	}
	if class < 0 || class >= classes {
		return line{}, fmt.Errorf("class %d, there are %d", class, classes)
	}
	v := make([]float64, len(f)-1)
	for i := range v {
		if v[i], err = strconv.ParseFloat(f[i+1], 64); err != nil {
			return line{}, fmt.Errorf("%.50q is no number", f[i+1])
		}
		if !(v[i] >= 0 && v[i] <= 1) {
			return line{}, fmt.Errorf("%v is no fraction of the picture", v[i])
		}
	}
	l := line{class: class}
	if len(v) == 4 {
		l.box = geom.Rect{X: v[0] - v[2]/2, Y: v[1] - v[3]/2, W: v[2], H: v[3]}
		return l, nil
	}
	for i := 0; i < len(v); i += 2 {
		l.outline = append(l.outline, geom.Point{X: v[i], Y: v[i+1]})
	}
	l.box = l.outline.Bounds()
	return l, nil
}

// object returns the object in pixels of a picture of w×h.
func (l line) object(w, h float64) dataset.Object {
	o := dataset.Object{Class: l.class, Box: geom.Rect{X: l.box.X * w, Y: l.box.Y * h, W: l.box.W * w, H: l.box.H * h}}
	o.Area = o.Box.Area()
	if l.outline != nil {
		p := make(geom.Polygon, len(l.outline))
		for i, q := range l.outline {
			p[i] = geom.Point{X: q.X * w, Y: q.Y * h}
		}
		o.Polygons, o.Area = []geom.Polygon{p}, p.Area()
	}
	return o
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
