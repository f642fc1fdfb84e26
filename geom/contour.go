package geom

// Region is a connected part of a mask, all of one class, by its outline.
type Region struct {
	Class  uint8
	Pixels int       // how many it has: the area of Outer less that of Holes
	Outer  Polygon   // runs clockwise on the screen, along the pixels' edges
	Holes  []Polygon // run the other way; each lies inside Outer
}

// Trace returns the regions of a mask of w×h classes, rows first, in the order of their
// first pixel. Pixels that share a side are connected, those that share a corner are
// not. Points are corners of pixels, only where the line turns: the areas are exact, and
// neighbours share their border without gap or overlap.
//
// Outer borders and holes are told apart and put together as by Suzuki and Abe,
// Topological Structural Analysis of Digitized Binary Images by Border Following, CVGIP
// 30 (1985), for all classes in one pass; the borders followed are the cracks between
// pixels instead of the pixels at the border.
func Trace(class []uint8, w, h int) []Region {
	t := tracer{w: w, h: h, of: components(class, w, h), seen: make([]bool, w*h)}
	regions := make([]Region, 0, 64)
	for p, id := range t.of {
		if int(id) == len(regions) {
			regions = append(regions, Region{Class: class[p]})
		}
		r := &regions[id]
		r.Pixels++
		if t.seen[p] || t.region(p%w, p/w-1) == id {
			continue // no border above, or followed already
		}
		ring := t.follow(p)
		if r.Outer == nil { // its first pixel in reading order is on the outside
			r.Outer = ring
		} else {
			r.Holes = append(r.Holes, ring)
		}
	}
	return regions
}

// components numbers the connected parts of a mask from 0, in the order of their first
// pixel, and returns each pixel's number.
func components(class []uint8, w, h int) []int32 {
	of := make([]int32, w*h)
	for i := range of {
		of[i] = -1
	}
	next := int32(0)
	var stack []int32
	for first := range of {
		if of[first] >= 0 {
			continue
		}
		of[first] = next
		stack = append(stack, int32(first))
		for len(stack) > 0 {
			p := int(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			x, y := p%w, p/w
			for _, q := range [4]struct {
				at   int
				here bool
			}{{p - 1, x > 0}, {p + 1, x < w-1}, {p - w, y > 0}, {p + w, y < h-1}} {
				if q.here && of[q.at] < 0 && class[q.at] == class[p] {
					of[q.at] = next
					stack = append(stack, int32(q.at))
				}
			}
		}
		next++
	}
	return of
}

type tracer struct {
	w, h int
	of   []int32
	seen []bool // by pixel: the border along its upper side is followed
}

// region returns a pixel's number, -1 outside the mask.
func (t *tracer) region(x, y int) int32 {
	if x < 0 || y < 0 || x >= t.w || y >= t.h {
		return -1
	}
	return t.of[y*t.w+x]
}

// follow walks from the upper left corner of pixel p along its region's border, the
// region on the right-hand side, until it is back.
func (t *tracer) follow(p int) Polygon {
	id := t.of[p]
	x, y := p%t.w, p/t.w
	startX, startY := x, y
	var ring Polygon
	// The directions right, down, left, up; ahead of a corner lie a pixel to the right
	// of the way and one to the left.
	steps := [4][2]int{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}
	right := [4][2]int{{0, 0}, {-1, 0}, {-1, -1}, {0, -1}}
	left := [4][2]int{{0, -1}, {0, 0}, {-1, 0}, {-1, -1}}
	dir, before := 0, -1
	for {
		if dir != before {
			ring = append(ring, Point{float64(x), float64(y)})
			before = dir
		}
		if dir == 0 {
			t.seen[y*t.w+x] = true
		}
		x, y = x+steps[dir][0], y+steps[dir][1]
		switch {
		case t.region(x+right[dir][0], y+right[dir][1]) != id:
			dir = (dir + 1) % 4 // around the corner; a pixel that touches it there is another part
		case t.region(x+left[dir][0], y+left[dir][1]) == id:
			dir = (dir + 3) % 4
		}
		if x == startX && y == startY && dir == 0 {
			return ring
		}
	}
}
