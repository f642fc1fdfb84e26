package geom

import "slices"

// Point is a position in pixels; pixel x, y covers x to x+1 and y to y+1.
type Point struct{ X, Y float64 }

// Polygon is a closed line through its points; the last is joined to the first.
type Polygon []Point

// Bounds returns the smallest rectangle around the polygon's points; the zero Rect
// where it has none.
func (p Polygon) Bounds() Rect {
	if len(p) == 0 {
		return Rect{}
	}
	x1, y1, x2, y2 := p[0].X, p[0].Y, p[0].X, p[0].Y
	for _, q := range p[1:] {
		x1, y1, x2, y2 = min(x1, q.X), min(y1, q.Y), max(x2, q.X), max(y2, q.Y)
	}
	return Rect{x1, y1, x2 - x1, y2 - y1}
}

// Area returns the area inside, by the shoelace formula: what a line that crosses
// itself encloses in opposite directions cancels out.
func (p Polygon) Area() float64 {
	a := p.signed()
	return max(a, -a)
}

// signed is positive for a line that runs clockwise on the screen.
func (p Polygon) signed() float64 {
	sum := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		sum += a.X*b.Y - b.X*a.Y
	}
	return sum / 2
}

// Join returns one closed line around all parts: lines without area lead from the first
// point of the first part to the others and back. Parts turn the same way, so that the
// area is the sum of theirs.
func Join(parts []Polygon) Polygon {
	var out Polygon
	for i, p := range parts {
		if len(p) == 0 {
			continue
		}
		if i > 0 && p.signed() < 0 != (parts[0].signed() < 0) {
			p = slices.Clone(p)
			slices.Reverse(p)
		}
		if len(out) > 0 {
			out = append(out, out[0])
		}
		out = append(out, p...)
		if i > 0 {
			out = append(out, p[0])
		}
	}
	return out
}
