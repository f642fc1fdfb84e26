package geom

import "math"

// ellipseCorners is how many corners a round shape gets as a polygon.
const ellipseCorners = 64

// Ellipse returns the polygon of 64 corners on the ellipse around c with half axes rx and
// ry, turned clockwise by angle, in radians.
func Ellipse(c Point, rx, ry, angle float64) Polygon {
	p := make(Polygon, ellipseCorners)
	sin, cos := math.Sincos(angle)
	for i := range p {
		b, a := math.Sincos(2 * math.Pi * float64(i) / ellipseCorners)
		p[i] = Point{c.X + a*rx*cos - b*ry*sin, c.Y + a*rx*sin + b*ry*cos}
	}
	return p
}

// Polygon returns the rectangle's corners, clockwise from the upper left.
func (r Rect) Polygon() Polygon {
	return Polygon{{r.X, r.Y}, {r.X + r.W, r.Y}, {r.X + r.W, r.Y + r.H}, {r.X, r.Y + r.H}}
}

// Rotate returns the rectangle turned clockwise about c by angle, in radians.
func (r Rect) Rotate(c Point, angle float64) Polygon {
	p := r.Polygon()
	sin, cos := math.Sincos(angle)
	for i, q := range p {
		dx, dy := q.X-c.X, q.Y-c.Y
		p[i] = Point{c.X + dx*cos - dy*sin, c.Y + dx*sin + dy*cos}
	}
	return p
}
