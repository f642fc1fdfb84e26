// Package export writes data sets in the formats that package open reads.
//
// Before a format's writer sees a set, Reduce takes out, or turns into something else,
// what the format has no words for, and counts it. Start at Write.
package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trilobite/dataset"
	"trilobite/dataset/automl"
	"trilobite/dataset/coco"
	"trilobite/dataset/csvlabels"
	"trilobite/dataset/cvat"
	"trilobite/dataset/folders"
	"trilobite/dataset/labelme"
	"trilobite/dataset/labelstudio"
	"trilobite/dataset/manifest"
	"trilobite/dataset/masks"
	"trilobite/dataset/vertex"
	"trilobite/dataset/voc"
	"trilobite/dataset/yolo"
)

// Format is a way to write a set down.
type Format struct {
	Name  string // as package open calls it
	Says  dataset.Feature
	write func(out *dataset.Folder, s *dataset.Set) error
}

// Formats lists all, by name.
func Formats() []Format {
	return []Format{
		{"automl", automl.Says, automl.Write},
		{"coco", coco.Says, coco.Write},
		{"csv", csvlabels.Says, csvlabels.Write},
		{"cvat", cvat.Says, cvat.Write},
		{"folders", folders.Says, folders.Write},
		{"groundtruth", manifest.Says, manifest.Write},
		{"labelme", labelme.Says, labelme.Write},
		{"labelstudio", labelstudio.Says, labelstudio.Write},
		{"masks", masks.Says, masks.Write},
		{"vertex", vertex.Says, vertex.Write},
		{"voc", voc.Says, voc.Write},
		{"yolo", yolo.Says, yolo.Write},
	}
}

// Find returns the format of a name.
func Find(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("format %q is none of %s", name, strings.Join(names, ", "))
}

// Options of Write.
type Options struct {
	Prefix string // before pictures' paths where the format names them by URL
	Link   bool   // hard links instead of copies, where that can be
}

// Report is what was written and what could not be.
type Report struct {
	Format  string `json:"format"`
	Path    string `json:"path"`
	Images  int    `json:"images"`
	Objects int    `json:"objects"`
	Masks   int    `json:"masks"`
	Renamed int    `json:"renamed"` // pictures whose names others have
	Losses  []Loss `json:"losses"`
}

// Write writes s to the folder dir, which must not be there or be empty, whole or not at
// all.
func Write(s *dataset.Set, dir string, f Format, o Options) (*Report, error) {
	if err := vacant(dir); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	drawn, content := filepath.Join(tmp, "drawn"), filepath.Join(tmp, "set")
	for _, d := range []string{drawn, content} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	reduced, losses, err := Reduce(s, f.Says, drawn)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", f.Name, err)
	}
	if !speaks(reduced) && speaks(s) {
		return nil, fmt.Errorf("no label of the set can be written as %s, which can say: %s", f.Name, f.Says)
	}
	r := &Report{Format: f.Name, Path: dir, Images: len(reduced.Images), Renamed: Name(reduced), Losses: losses}
	for _, img := range reduced.Images {
		r.Objects += len(img.Objects)
		if img.Mask != "" {
			r.Masks++
		}
	}
	out := &dataset.Folder{Dir: content, Prefix: o.Prefix, Link: o.Link, Created: time.Now().UTC().Format("2006-01-02T15:04:05")}
	if err := f.write(out, reduced); err != nil {
		return nil, fmt.Errorf("writing %s: %w", f.Name, err)
	}
	_ = os.Remove(dir) // empty, or not there; else the next line tells
	return r, os.Rename(content, dir)
}

// speaks reports whether anything is said of any picture.
func speaks(s *dataset.Set) bool {
	return slices.ContainsFunc(s.Images, func(img dataset.Image) bool { return len(img.Classes)+len(img.Objects) > 0 || img.Mask != "" })
}

// vacant fails where dir is there and not an empty folder.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty: name a folder that is not there", dir)
	}
	return nil
}

// Name gives every picture a name without folders, which no other has, not even with
// another ending or in other case, and returns how many are not their own.
func Name(s *dataset.Set) (renamed int) {
	taken := map[string]bool{}
	for i := range s.Images {
		img := &s.Images[i]
		own := clean(filepath.Base(filepath.FromSlash(img.Title())))
		name := own
		if taken[key(name)] { // the folder tells them apart, or a number
			at := img.File
			if img.Name != "" {
				at = filepath.FromSlash(img.Name)
			}
			name = clean(filepath.Base(filepath.Dir(at))) + "_" + own
		}
		for n := 2; taken[key(name)]; n++ {
			name = fmt.Sprintf("%s-%d%s", dataset.Stem(own), n, filepath.Ext(own))
		}
		if name != own {
			renamed++
		}
		taken[key(name)] = true
		img.Name = name
	}
	return renamed
}

func key(name string) string { return strings.ToLower(dataset.Stem(name)) }

// clean returns a name that files may have everywhere and that readers do not pass over.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.TrimSpace(name))
	if name == "" || dataset.IsHidden(name) {
		name = "_" + name
	}
	return name
}

// splits makes pictures of no split train where others have splits.
func splits(s *dataset.Set) {
	if !slices.ContainsFunc(s.Images, func(img dataset.Image) bool { return img.Split != "" }) {
		return
	}
	for i := range s.Images {
		if s.Images[i].Split == "" {
			s.Images[i].Split = dataset.Train
		}
	}
}
