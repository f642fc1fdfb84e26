package dataset

import (
	"fmt"
	"math"

	"trilobite/geom"
)

// CheckRect fails unless r is finite and its sides are not negative. Empty boxes, which
// real data sets have, pass.
func CheckRect(r geom.Rect) error {
	for _, v := range [...]float64{r.X, r.Y, r.W, r.H} {
		if math.IsNaN(v) || math.Abs(v) > 1e9 {
			return fmt.Errorf("box %v is not finite", r)
		}
	}
	if r.W < 0 || r.H < 0 {
		return fmt.Errorf("box %v has a negative side", r)
	}
	return nil
}

// CheckPolygon fails unless p has three points at least, all finite.
func CheckPolygon(p geom.Polygon) error {
	if len(p) < 3 {
		return fmt.Errorf("a polygon of %d points", len(p))
	}
	return CheckRect(p.Bounds())
}

// overhang is how far, in pixels, a box may reach beyond its picture without a word:
// tools round differently, and some count from 1.
const overhang = 1

// Add adds an object that file tells of, at line if that is above 0, to img. A box
// without area, with corners that are no numbers, or outside the picture is dropped; one
// that reaches over the picture's edge is cut there and recorded in Clipped.
func (s *Set) Add(img *Image, o Object, file string, line int) {
	if err := CheckRect(o.Box); err != nil {
		s.Dropf(file, line, "%v", err)
		return
	}
	b := o.Box
	o.Line = line
	if b.W == 0 || b.H == 0 {
		s.Dropf(file, line, "the box from %g, %g to %g, %g has no area", b.X, b.Y, b.X+b.W, b.Y+b.H)
		return
	}
	if img.W > 0 && img.H > 0 {
		w, h := float64(img.W), float64(img.H)
		x1, y1, x2, y2 := max(0, b.X), max(0, b.Y), min(w, b.X+b.W), min(h, b.Y+b.H)
		switch {
		case x1 >= x2 || y1 >= y2:
			s.Dropf(file, line, "the box from %g, %g to %g, %g lies outside its picture of %d×%d", b.X, b.Y, b.X+b.W, b.Y+b.H, img.W, img.H)
			return
		case max(-b.X, -b.Y, b.X+b.W-w, b.Y+b.H-h) > overhang:
			s.Clipped = append(s.Clipped, Dropped{file, line, fmt.Sprintf(
				"the box from %g, %g to %g, %g reaches out of its picture of %d×%d", b.X, b.Y, b.X+b.W, b.Y+b.H, img.W, img.H)})
			if o.Area == b.Area() {
				o.Area = (x2 - x1) * (y2 - y1)
			}
			o.Box = geom.Rect{X: x1, Y: y1, W: x2 - x1, H: y2 - y1}
		}
	}
	img.Objects = append(img.Objects, o)
}
