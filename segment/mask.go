package segment

import (
	"fmt"
	"strings"

	"trilobite/geom"
)

// Mask says what each pixel of the upright image shows, at its full size.
type Mask struct {
	W, H       int
	Class      []uint8 // index into Labels, rows first
	Confidence []uint8 // of that class, 0 to 255 for 0 to 1; nil where the model answers indices alone
	Labels     []string
}

// At returns the class at a point of the image, in pixels; points outside count as the
// nearest inside.
func (m *Mask) At(x, y float32) uint8 {
	col := min(max(int(x), 0), m.W-1)
	row := min(max(int(y), 0), m.H-1)
	return m.Class[row*m.W+col]
}

// Part is how much of the image a class covers.
type Part struct {
	Class      int
	Name       string
	Pixels     int
	Share      float64 // of the image, 0 to 1
	Confidence float64 // mean over its pixels, 0 to 1; 0 without Mask.Confidence
}

// Parts returns what the image shows, by class; classes that it does not show are left out.
func (m *Mask) Parts() []Part {
	var pixels [maxClasses]int
	var sure [maxClasses]int64
	for i, c := range m.Class {
		pixels[c]++
		if m.Confidence != nil {
			sure[c] += int64(m.Confidence[i])
		}
	}
	parts := []Part{}
	for c, n := range pixels {
		if n > 0 {
			parts = append(parts, Part{c, m.Labels[c], n, float64(n) / float64(len(m.Class)), float64(sure[c]) / 255 / float64(n)})
		}
	}
	return parts
}

// Regions returns the connected parts of each class by their outlines, in pixels of the
// image, simplified so that no point is off by more than tolerance pixels; 0 keeps the
// exact outline.
func (m *Mask) Regions(tolerance float64) []geom.Region {
	regions := geom.Trace(m.Class, m.W, m.H)
	for i := range regions {
		r := &regions[i]
		r.Outer = r.Outer.Simplify(tolerance)
		for j := range r.Holes {
			r.Holes[j] = r.Holes[j].Simplify(tolerance)
		}
	}
	return regions
}

// background reports whether a class's name says that there is nothing: overlays leave
// such pixels as they are.
func background(name string) bool {
	switch strings.Trim(strings.ToLower(name), "_ ") {
	case "background", "unlabelled", "unlabeled", "void", "ignore":
		return true
	}
	return false
}

// check fails unless the mask is whole and its classes have labels.
func (m *Mask) check() error {
	if m.W < 1 || m.H < 1 || len(m.Class) != m.W*m.H || len(m.Labels) < 1 || len(m.Labels) > maxClasses {
		return fmt.Errorf("a mask of %d×%d pixels, %d classes for them and %d labels", m.W, m.H, len(m.Class), len(m.Labels))
	}
	return nil
}
