// Package manifest reads and writes manifests of Amazon SageMaker Ground Truth, as
// Rekognition Custom Labels takes them: JSON Lines, a picture a line, with labels of the
// whole picture, boxes or a mask (docs.aws.amazon.com/rekognition/latest/customlabels-dg,
// "Creating a manifest file"; docs.aws.amazon.com/sagemaker/latest/dg, "Augmented Manifest
// Output"), with pictures that are on this machine. ParseLine takes a line, read by package
// groundtruth, more kindly than the service, whose rules and errors that package has.
package manifest

import (
	"bufio"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/groundtruth"
)

// Limits of a manifest; of lines it is Amazon's.
const (
	maxBytes = 1 << 30
	maxLine  = groundtruth.MaxLine
)

// Part is a manifest of a set.
type Part struct {
	Split string // dataset.Train and so on, or ""
	Path  string
}

// Find returns the file that a reference, such as s3://bucket/some/key.jpg, names.
type Find func(ref string) (path string, err error)

// Size returns a picture's size in pixels.
type Size func(path string) (w, h int, err error)

// Read returns the set that manifests list, in their order. Classes are the labels that
// occur, in alphabetical order. A line that makes no sense is dropped with its number,
// and so is one whose picture is not there or was listed before. size may be nil; else it
// is asked for the pictures that have boxes.
func Read(parts []Part, find Find, size Size) (*dataset.Set, error) {
	r := newReader(find, size)
	r.use = func(img *dataset.Image) error {
		r.set.Images = append(r.set.Images, *img)
		return nil
	}
	if err := r.read(parts); err != nil {
		return nil, err
	}
	r.labels.Name(r.set)
	return r.set, nil
}

// Scan is Read in memory that hardly grows with the manifests: it shows each picture to use, whose
// error drops it, and returns the set without them. A picture's classes are numbered as they
// occur; numbers has the set's for each.
func Scan(parts []Part, find Find, size Size, use func(*dataset.Image) error) (s *dataset.Set, numbers []int, err error) {
	r := newReader(find, size)
	r.use = use
	if err := r.read(parts); err != nil {
		return nil, nil, err
	}
	_, numbers = r.labels.Sorted()
	r.labels.Name(r.set)
	return r.set, numbers, nil
}

func newReader(find Find, size Size) *reader {
	return &reader{set: &dataset.Set{Ignore: dataset.NoIgnore}, find: find, size: size, seen: map[uint64]place{}, hash: maphash.MakeSeed()}
}

type reader struct {
	set    *dataset.Set
	find   Find
	size   Size
	use    func(*dataset.Image) error
	used   int
	labels dataset.Naming
	parts  []Part
	seen   map[uint64]place // where a reference was met first, by its hash
	hash   maphash.Seed

	withoutMask int             // lines whose mask is not there
	firstMask   dataset.Dropped // the first of them
	plain       bool            // some line has a mask of one class: its background has no name
}

// place is a line of a part: as small as it can be, there is one for each picture.
type place struct{ part, line int32 }

// words returns a place for people.
func (r *reader) words(p place) string {
	if split := r.parts[p.part].Split; split != "" {
		return fmt.Sprintf("line %d of the %s part", p.line, split)
	}
	return fmt.Sprintf("line %d", p.line)
}

func (r *reader) read(parts []Part) error {
	r.parts = parts
	for i, p := range parts {
		if err := r.part(i); err != nil {
			return fmt.Errorf("reading %s: %w", p.Path, err)
		}
	}
	r.finish()
	if r.used > 0 {
		return nil
	}
	why := "it has no lines"
	if len(r.set.Dropped) > 0 {
		why = r.set.Dropped[0].String()
	}
	return fmt.Errorf("%s lists no picture that is here: %s", parts[0].Path, why)
}

func (r *reader) part(i int) error {
	p := r.parts[i]
	f, err := os.Open(p.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.parse(dataset.Limit(f, maxBytes, p.Path), i)
}

// parse reads the lines of part i.
func (r *reader) parse(from io.Reader, i int) error {
	p, in := r.parts[i], bufio.NewReaderSize(from, maxLine+2)
	for n := 1; ; n++ {
		data, err := nextLine(in)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			r.set.Dropf(p.Path, n, "more than %d characters", maxLine)
		case err != nil:
			return err
		case len(data) > 0:
			if err := r.line(data, i, n); err != nil {
				r.set.Dropf(p.Path, n, "%v", err)
			}
		}
	}
}

// line reads the line that is number n of part i.
func (r *reader) line(data []byte, i, n int) error {
	p := r.parts[i]
	l, err := ParseLine(data)
	if err != nil {
		return err
	}
	sum := maphash.String(r.hash, l.Ref)
	if first, ok := r.seen[sum]; ok {
		return fmt.Errorf("source-ref %.200s is that of %s", l.Ref, r.words(first))
	}
	r.seen[sum] = place{int32(i), int32(n)}
	img := dataset.Image{Split: p.Split, Source: p.Path, Line: n}
	if img.File, err = r.find(l.Ref); err != nil {
		return err
	}
	if r.size != nil && len(l.Boxes) > 0 {
		if img.W, img.H, err = r.size(img.File); err != nil {
			return fmt.Errorf("size of %s: %w", img.File, err)
		}
	}
	for _, bad := range l.Bad {
		r.set.Dropf(p.Path, n, "%v", bad)
	}
	if l.Mask != nil {
		r.mask(&l, &img)
	}
	if !l.Labelled && img.Mask == "" {
		return nil
	}
	for _, label := range l.Labels {
		img.Classes = append(img.Classes, r.labels.Class(label))
	}
	for _, b := range l.Boxes {
		r.set.Add(&img, dataset.Object{Class: r.labels.Class(b.Label), Box: b.Rect, Area: b.Rect.Area()}, p.Path, n)
	}
	if err := r.use(&img); err != nil {
		return err
	}
	r.used++
	return nil
}

// mask gives img the line's mask.
func (r *reader) mask(l *Line, img *dataset.Image) {
	path, err := r.find(l.Mask.Ref)
	if err != nil {
		if r.withoutMask++; r.withoutMask == 1 {
			r.firstMask = dataset.Dropped{File: img.Source, Line: img.Line, Reason: err.Error()}
		}
		return
	}
	for _, c := range l.Mask.Classes {
		if err := r.labels.Color(r.set, c.Color, c.Name); err != nil {
			r.set.Dropf(img.Source, img.Line, "mask %.200s: %v", l.Mask.Ref, err)
			return
		}
	}
	r.plain = r.plain || len(l.Mask.Classes) == 1
	img.Mask = path
}

// white is what Ground Truth paints where nothing is labelled.
var white = [3]uint8{255, 255, 255}

// finish names the background and says what is missing.
func (r *reader) finish() {
	if _, taken := r.set.Colors[white]; r.plain && !taken {
		_ = r.labels.Color(r.set, white, "background") // the colour is free
	}
	if r.withoutMask > 0 {
		d := r.firstMask
		d.Reason = fmt.Sprintf("%d masks cannot be found, the first: %s", r.withoutMask, d.Reason)
		r.set.Dropped = append(r.set.Dropped, d)
	}
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
