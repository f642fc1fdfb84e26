package check

import (
	"fmt"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/duplicates"
	"trilobite/geom"
)

// overlap is the intersection over union of two boxes.
func overlap(a, b geom.Rect) float64 {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (a.Area() + b.Area() - w*h)
}

// group looks at pictures that show the same, by their places in the set. Each is compared
// with the first of another part, or of its own.
func (c *checker) group(g []int, prints []*duplicates.Print) {
	first := map[string]int{} // by part
	for _, i := range g {
		img := &c.set.Images[i]
		for _, split := range append(dataset.Splits(), "") {
			k, ok := first[split]
			if !ok || split == img.Split {
				continue
			}
			c.atf(Error, "leak", img, img.Line, "%s, which is in %q; this is in %q", c.same(i, k, prints), split, img.Split)
		}
		k, ok := first[img.Split]
		if !ok {
			first[img.Split] = i
		} else {
			c.atf(Warning, "duplicate", img, img.Line, "%s", c.same(i, k, prints))
		}
		if g0 := g[0]; i != g0 && c.labels(i) != c.labels(g0) {
			c.atf(Error, "conflict", img, img.Line, "%s, which is labelled %s; this is labelled %s", c.same(i, g0, prints), c.labels(g0), c.labels(i))
		}
	}
}

// same says how picture i is like picture k.
func (c *checker) same(i, k int, prints []*duplicates.Print) string {
	other := &c.set.Images[k]
	name := other.Title()
	if other.Source == "" && other.Name == "" {
		name = other.File
	}
	if prints[i].Sum == prints[k].Sum {
		return "the same file as " + name
	}
	return "nearly the same as " + name
}

// labels names the labels of a whole picture, "nothing" where it has none.
func (c *checker) labels(i int) string {
	var names []string
	for _, class := range c.set.Images[i].Classes {
		names = append(names, fmt.Sprintf("%q", c.set.Classes[class]))
	}
	if len(names) == 0 {
		return "nothing"
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}
