// Package check looks for what spoils a training: pictures that cannot be decoded, sizes
// that do not agree, the same picture on both sides of a split or under two labels, tiny
// and doubled boxes, classes without or with few pictures.
//
// Every finding names the file, and the line where there is one, that can be mended.
// Start at Set.
package check

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"trilobite/dataset"
	"trilobite/dataset/duplicates"
	"trilobite/dataset/masks"
)

// Levels of findings.
const (
	Error   = "error"   // a training on it, or its figures, would be wrong
	Warning = "warning" // it deserves a look
)

// Finding is one thing that was found.
type Finding struct {
	Level string `json:"level"`
	Kind  string `json:"kind"` // one of Kinds
	File  string `json:"file"`
	Line  int    `json:"line,omitempty"`
	Text  string `json:"text"`
}

// String returns "file:line: text".
func (f Finding) String() string {
	return dataset.Dropped{File: f.File, Line: f.Line, Reason: f.Text}.String()
}

// Kinds says what each kind of finding is, in the order in which they are reported.
func Kinds() []struct{ Kind, Text string } {
	return []struct{ Kind, Text string }{
		{"unreadable", "pictures that cannot be decoded"},
		{"unusable", "samples or annotations that were left out"},
		{"size", "pictures of another size than annotated"},
		{"leak", "the same picture in several parts"},
		{"conflict", "the same picture under different labels"},
		{"no-class", "classes with no picture to train on"},
		{"outside", "boxes that reach out of their picture"},
		{"duplicate", "the same picture more than once in a part"},
		{"tiny", "boxes of a few pixels"},
		{"doubled", "boxes that lie on one another"},
		{"few", "classes with few pictures"},
		{"unbalanced", "classes that are rare beside others"},
		{"missing", "classes that a part does not have"},
		{"unlabelled", "pictures without a label"},
	}
}

// Options of Set. Zero fields take the defaults.
type Options struct {
	MinBox   float64 // shorter side of a box in pixels below which it is tiny; 4
	Few      int     // pictures of a class below which there are few; 10
	Balance  float64 // how many times as many pictures the largest class may have; 20
	Doubled  float64 // IoU of two boxes of a class from which they are one; 0.95
	Step     func()  // after each picture; may be nil
	Pictures bool    // decode the pictures
}

// Default returns the options that Set has where nothing else is said.
func Default() Options {
	return Options{MinBox: 4, Few: 10, Balance: 20, Doubled: 0.95, Pictures: true}
}

type checker struct {
	Options
	set   *dataset.Set
	found []Finding
}

func (c *checker) addf(level, kind, file string, line int, format string, args ...any) {
	c.found = append(c.found, Finding{level, kind, file, line, fmt.Sprintf(format, args...)})
}

// atf adds a finding about a picture, where its annotation stands if that is known.
func (c *checker) atf(level, kind string, img *dataset.Image, line int, format string, args ...any) {
	file, text := img.Source, fmt.Sprintf(format, args...)
	if file == "" {
		file, line = img.File, 0
		if img.Name != "" {
			file = img.Name
		}
	} else {
		text = img.Title() + ": " + text
	}
	c.addf(level, kind, file, line, "%s", text)
}

// Set returns what there is to say about a set, by kind and then in the set's order.
func Set(ctx context.Context, s *dataset.Set, o Options) ([]Finding, error) {
	c := &checker{Options: o, set: s}
	for _, d := range s.Dropped {
		c.addf(Error, "unusable", d.File, d.Line, "%s", d.Reason)
	}
	for _, d := range s.Clipped {
		c.addf(Warning, "outside", d.File, d.Line, "%s", d.Reason)
	}
	for i := range s.Images {
		c.boxes(&s.Images[i])
	}
	pixels, err := c.masks(ctx)
	if err != nil {
		return nil, err
	}
	c.classes(pixels)
	if o.Pictures {
		if err := c.pictures(ctx); err != nil {
			return nil, err
		}
	}
	order := map[string]int{}
	for i, k := range Kinds() {
		order[k.Kind] = i
	}
	slices.SortStableFunc(c.found, func(a, b Finding) int { return cmp.Compare(order[a.Kind], order[b.Kind]) })
	return c.found, nil
}

// boxes looks at the objects of a picture.
func (c *checker) boxes(img *dataset.Image) {
	for i, o := range img.Objects {
		line := cmp.Or(o.Line, img.Line)
		if short := min(o.Box.W, o.Box.H); short < c.MinBox {
			c.atf(Warning, "tiny", img, line, "the box of a %s has %.3g×%.3g pixels", c.set.Classes[o.Class], o.Box.W, o.Box.H)
		}
		for _, other := range img.Objects[:i] {
			if other.Class == o.Class && !o.Crowd && !other.Crowd && overlap(o.Box, other.Box) >= c.Doubled {
				c.atf(Warning, "doubled", img, line, "two boxes of a %s lie on one another at %.4g, %.4g", c.set.Classes[o.Class], o.Box.X, o.Box.Y)
				break
			}
		}
	}
}

// masks decodes the masks and returns the pixels of each class; nil where there are none.
func (c *checker) masks(ctx context.Context) ([]int64, error) {
	if !slices.ContainsFunc(c.set.Images, func(img dataset.Image) bool { return img.Mask != "" }) {
		return nil, nil
	}
	some := *c.set
	some.Images, some.Dropped = slices.Clone(c.set.Images), nil
	pixels, err := masks.Scan(ctx, &some, runtime.GOMAXPROCS(0), nil)
	for _, d := range some.Dropped {
		c.addf(Error, "unusable", d.File, d.Line, "%s", d.Reason)
	}
	return pixels, err
}

// pictures decodes every picture: is it one, has it the annotated size, is it there twice?
func (c *checker) pictures(ctx context.Context) error {
	paths := make([]string, len(c.set.Images))
	for i, img := range c.set.Images {
		paths[i] = img.File
	}
	prints, why, err := duplicates.Files(ctx, paths, c.Step)
	if err != nil {
		return err
	}
	for i, p := range prints {
		img := &c.set.Images[i]
		switch {
		case p == nil:
			c.atf(Error, "unreadable", img, img.Line, "%v", why[i])
		case img.W > 0 && (p.W != img.W || p.H != img.H):
			c.atf(Error, "size", img, img.Line, "it has %d×%d pixels and is annotated as %d×%d", p.W, p.H, img.W, img.H)
		}
	}
	for _, g := range duplicates.Groups(prints) {
		c.group(g, prints)
	}
	return nil
}
