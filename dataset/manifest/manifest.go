// Package manifest reads manifests of Amazon SageMaker Ground Truth, as Rekognition
// Custom Labels takes them: JSON Lines, a picture a line, with labels of the whole picture
// or boxes (docs.aws.amazon.com/rekognition/latest/customlabels-dg, "Creating a manifest
// file"), with pictures that are on this machine. ParseLine reads one line, more kindly
// than package groundtruth, which has the service's own rules and errors.
package manifest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"trilobite/dataset"
)

// Limits of a manifest; of lines it is Amazon's.
const (
	maxBytes = 1 << 30
	maxLine  = 100_000
)

// Read returns the set that a manifest lists, in its order. Classes are the labels that
// occur, in alphabetical order. A line that makes no sense is dropped with its number,
// and so is one whose picture is not there or was listed before.
//
// Pictures are looked for below the folder images; where a reference, such as
// s3://bucket/some/key.jpg, is no path from there, the file below it whose path ends most
// alike is taken. size may be nil; else it is asked for the pictures that have boxes.
func Read(manifest, images string, size func(path string) (w, h int, err error)) (*dataset.Set, error) {
	f, err := os.Open(manifest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files, err := index(images)
	if err != nil {
		return nil, err
	}
	s, err := parse(dataset.Limit(f, maxBytes, manifest), manifest, files.find, size)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", manifest, err)
	}
	if len(s.Images) == 0 {
		why := "it has no lines"
		if len(s.Dropped) > 0 {
			why = s.Dropped[0].String()
		}
		return nil, fmt.Errorf("%s lists no picture below %s: %s", manifest, images, why)
	}
	return s, nil
}

// parse reads a manifest called name.
func parse(r io.Reader, name string, find func(ref string) (string, error), size func(string) (int, int, error)) (*dataset.Set, error) {
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	var labels dataset.Naming
	seen := map[string]int{}
	in := bufio.NewReaderSize(r, maxLine+2)
	for n := 1; ; n++ {
		data, err := nextLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			s.Dropf(name, n, "more than %d characters", maxLine)
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(data) == 0 {
			continue
		}
		l, err := ParseLine(data)
		img := dataset.Image{Source: name, Line: n}
		switch first := seen[l.Ref]; {
		case err != nil:
		case first > 0:
			err = fmt.Errorf("source-ref %.200s is that of line %d", l.Ref, first)
		default:
			seen[l.Ref] = n
			img.File, err = find(l.Ref)
		}
		if err == nil && size != nil && len(l.Boxes) > 0 {
			if img.W, img.H, err = size(img.File); err != nil {
				err = fmt.Errorf("size of %s: %w", img.File, err)
			}
		}
		if err != nil {
			s.Dropf(name, n, "%v", err)
			continue
		}
		for _, bad := range l.Bad {
			s.Dropf(name, n, "%v", bad)
		}
		if !l.Labelled {
			continue
		}
		for _, label := range l.Labels {
			img.Classes = append(img.Classes, labels.Class(label))
		}
		for _, b := range l.Boxes {
			s.Add(&img, dataset.Object{Class: labels.Class(b.Label), Box: b.Rect, Area: b.Rect.Area()}, name, n)
		}
		s.Images = append(s.Images, img)
	}
	labels.Name(s)
	return s, nil
}

// nextLine returns the next line without its end. Of a line that is too long it skips the
// rest and returns bufio.ErrBufferFull.
func nextLine(in *bufio.Reader) ([]byte, error) {
	data, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if err == nil || errors.Is(err, io.EOF) {
			err = bufio.ErrBufferFull
		}
		return nil, err
	}
	if errors.Is(err, io.EOF) && len(data) > 0 {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	line := []byte(strings.TrimSpace(string(data)))
	if len(line) > maxLine {
		return nil, bufio.ErrBufferFull
	}
	return line, nil
}

// files are the pictures below a folder, by their names.
type files struct {
	dir    string
	byName map[string][]string // paths from dir, slashed
}

func index(dir string) (files, error) {
	f := files{dir, map[string][]string{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && d.IsDir() && dataset.IsHidden(d.Name()):
			return filepath.SkipDir
		case d.Type().IsRegular() && dataset.IsImageName(path):
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			f.byName[d.Name()] = append(f.byName[d.Name()], filepath.ToSlash(rel))
		}
		return nil
	})
	return f, err
}

// find returns the picture whose path ends most like ref.
func (f files) find(ref string) (string, error) {
	key := ref
	if rest, ok := strings.CutPrefix(ref, "s3://"); ok {
		_, key, _ = strings.Cut(rest, "/")
	}
	parts := strings.Split(key, "/")
	best, most, tie := "", 0, false
	for _, path := range f.byName[parts[len(parts)-1]] {
		n := alike(parts, strings.Split(path, "/"))
		if n >= most {
			best, most, tie = path, n, n == most
		}
	}
	switch {
	case best == "":
		return "", fmt.Errorf("there is no picture %.200s below %s", ref, f.dir)
	case tie:
		return "", fmt.Errorf("%.200s may be several pictures below %s, among them %s", ref, f.dir, best)
	}
	return filepath.Join(f.dir, filepath.FromSlash(best)), nil
}

// alike returns how many parts at the end of two paths are equal.
func alike(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
