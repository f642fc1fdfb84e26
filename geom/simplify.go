package geom

import (
	"math"
	"slices"
)

// Simplify returns the polygon with fewer points, none of those left out farther than
// tolerance pixels from the line that remains. The two points farthest apart, as far as
// the first one sees, stay. A polygon that would lose its area stays as it is.
// Source: Douglas and Peucker, Algorithms for the Reduction of the Number of Points
// Required to Represent a Digitized Line or its Caricature, Cartographica 10 (1973).
func (p Polygon) Simplify(tolerance float64) Polygon {
	if len(p) < 4 || !(tolerance > 0) {
		return p
	}
	far := 0
	for i := range p {
		if distance(p[i], p[0], p[0]) > distance(p[far], p[0], p[0]) {
			far = i
		}
	}
	keep := make([]bool, len(p)+1)
	keep[0], keep[far] = true, true
	closed := slices.Concat(p, p[:1])
	mark(closed, keep, 0, far, tolerance)
	mark(closed, keep, far, len(p), tolerance)
	var out Polygon
	for i, q := range p {
		if keep[i] {
			out = append(out, q)
		}
	}
	if len(out) < 3 || out.Area() == 0 {
		return p
	}
	return out
}

// mark sets keep for the points between a and b that stay.
func mark(p Polygon, keep []bool, a, b int, tolerance float64) {
	type span struct{ a, b int }
	for stack := []span{{a, b}}; len(stack) > 0; {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		at, most := -1, tolerance
		for i := s.a + 1; i < s.b; i++ {
			if d := distance(p[i], p[s.a], p[s.b]); d > most {
				at, most = i, d
			}
		}
		if at >= 0 {
			keep[at] = true
			stack = append(stack, span{s.a, at}, span{at, s.b})
		}
	}
}

// distance returns how far q is from the segment between a and b.
func distance(q, a, b Point) float64 {
	dx, dy := b.X-a.X, b.Y-a.Y
	t := 0.0
	if n := dx*dx + dy*dy; n > 0 {
		t = max(0, min(1, ((q.X-a.X)*dx+(q.Y-a.Y)*dy)/n))
	}
	return math.Hypot(q.X-a.X-t*dx, q.Y-a.Y-t*dy)
}
