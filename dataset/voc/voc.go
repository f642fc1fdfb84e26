// Package voc reads data sets for detection in the layout of the Pascal VOC challenges:
// Annotations/ID.xml, JPEGImages/ID.jpg and, where there are splits, ImageSets/Main/
// train.txt, val.txt and test.txt with the IDs
// (host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc). labelImg's folders of XML files
// beside the pictures are the same without the splits.
//
// Corners are taken as they stand, xmin and ymin to xmax and ymax, as torchvision and
// most trainers do; the challenge itself counted pixels from 1.
package voc

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"trilobite/dataset"
)

// Limits of files from outside.
const (
	maxXML  = 16 << 20
	maxList = 256 << 20
)

// Layout says where the parts of a data set are.
type Layout struct {
	Annotations string // folder of XML files, not searched deeper
	Images      string // folder of pictures
	Sets        string // folder with train.txt and so on; "" or not there: no splits
}

// Read returns the set, by split and then in the order of the list or of the names.
// Classes are the names that occur, in alphabetical order. What makes no sense is
// dropped: an object with its line, or a whole picture.
func Read(l Layout) (*dataset.Set, error) {
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	r := &reader{Layout: l, set: s, pictures: map[string]string{}}
	files, err := os.ReadDir(l.Images)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !f.IsDir() && dataset.IsImageName(f.Name()) {
			r.pictures[strings.TrimSuffix(f.Name(), filepath.Ext(f.Name()))] = f.Name()
		}
	}
	listed, err := r.splits()
	if err == nil && !listed {
		err = r.all()
	}
	if err != nil {
		return nil, err
	}
	if len(s.Images) == 0 {
		return nil, fmt.Errorf("no annotated pictures in %s", l.Annotations)
	}
	r.classes.Name(s)
	return s, nil
}

type reader struct {
	Layout
	set      *dataset.Set
	pictures map[string]string // file name by ID
	classes  dataset.Naming
	done     map[string]string // list by ID
}

// splits reads the pictures of train.txt, val.txt and test.txt, and reports whether there
// were any.
func (r *reader) splits() (bool, error) {
	if r.Sets == "" {
		return false, nil
	}
	r.done = map[string]string{}
	found := false
	for _, split := range dataset.Splits() {
		path := filepath.Join(r.Sets, split+".txt")
		ok, err := r.split(split, path)
		if err != nil {
			return false, fmt.Errorf("reading %s: %w", path, err)
		}
		found = found || ok
	}
	return found, nil
}

func (r *reader) split(split, path string) (bool, error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	lines := bufio.NewScanner(dataset.Limit(f, maxList, path))
	for n := 1; lines.Scan(); n++ {
		id := strings.TrimSpace(lines.Text())
		if id == "" {
			continue
		}
		if _, ok := r.pictures[id]; !ok { // a class's own list has 1 or -1 behind the ID
			id = strings.Fields(id)[0]
		}
		if first, twice := r.done[id]; twice {
			r.set.Dropf(path, n, "%.100q is already in %s.txt", id, first)
			continue
		}
		r.done[id] = split
		r.picture(split, id, path, n)
	}
	return true, lines.Err()
}

// all reads every XML file.
func (r *reader) all() error {
	files, err := os.ReadDir(r.Annotations)
	if err != nil {
		return err
	}
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".xml"); ok && !f.IsDir() && !dataset.IsHidden(f.Name()) {
			r.picture("", id, filepath.Join(r.Annotations, f.Name()), 0)
		}
	}
	return nil
}

// picture reads one picture's file, which list names at line n.
func (r *reader) picture(split, id, list string, n int) {
	path, err := dataset.Path(r.Annotations, id+".xml")
	if err != nil {
		r.set.Dropf(list, n, "%v", err)
		return
	}
	name, ok := r.pictures[id]
	if !ok {
		r.set.Dropf(list, n, "there is no picture %s in %s", id, r.Images)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		r.set.Dropf(list, n, "%v", err)
		return
	}
	defer f.Close()
	img := dataset.Image{File: filepath.Join(r.Images, name), Split: split, Source: path}
	if err := r.parse(dataset.Limit(f, maxXML, path), path, &img); err != nil {
		r.set.Dropf(path, 0, "%v", err)
		return
	}
	r.set.Images = append(r.set.Images, img)
}
