package geom

import (
	"math"
	"slices"
	"sort"
)

// RLE returns which pixels of an image of w×h the polygon covers, to the pixel as
// COCO's tools decide it: the outline is drawn on a grid of fine = 5 steps a pixel, and
// where it passes the middle of a column of pixels, the column changes between out and
// in. So a line that crosses itself has holes, by the even-odd rule. Coordinates may lie
// outside the image; those beyond 2²⁸ count as that far.
// Source: cocodataset/cocoapi, common/maskApi.c, rleFrPoly. Checked: testdata/rle.json.
func (p Polygon) RLE(w, h int) RLE {
	var turns []int // positions, column by column, where out becomes in and back
	if len(p) > 0 {
		a := finePoint(p[len(p)-1])
		for _, q := range p {
			b := finePoint(q)
			turns = crossings(turns, a, b, w, h)
			a = b
		}
	}
	slices.Sort(turns)
	return RLE{w, h, runs(turns, w*h)}
}

const fine = 5

type gridPoint struct{ x, y int }

func finePoint(p Point) gridPoint {
	const far = 1 << 28
	at := func(v float64) int { return int(fine*max(-far, min(far, v)) + 0.5) }
	return gridPoint{at(p.X), at(p.Y)}
}

// crossings adds the positions where the line from a to b, drawn with one grid point a
// step along its longer side, passes from grid column 5x+2 to 5x+3 or back.
func crossings(turns []int, a, b gridPoint, w, h int) []int {
	dx, dy := b.x-a.x, b.y-a.y
	flat := abs(dx) >= abs(dy)
	if flat && dx < 0 || !flat && dy < 0 { // draw from the lower end, as rounding is not symmetric
		a, b, dx, dy = b, a, -dx, -dy
	}
	lo, hi := min(a.x, b.x), max(a.x, b.x)
	first, last := max(0, floorDiv(lo-2+fine-1, fine)), min(w-1, floorDiv(hi-3, fine))
	for x := first; x <= last; x++ {
		left := x*fine + 2
		var y int
		if flat {
			s := float64(dy) / float64(dx)
			at := func(column int) int { return int(float64(a.y) + s*float64(column-a.x) + 0.5) }
			y = min(at(left), at(left+1))
		} else {
			s := float64(dx) / float64(dy)
			passed := func(t int) bool { // after t steps the line is beyond the middle
				column := int(float64(a.x) + s*float64(t) + 0.5)
				return (column > left) == (dx > 0)
			}
			y = a.y + sort.Search(dy, passed) - 1
		}
		row := math.Ceil((float64(y)+0.5)/fine - 0.5)
		turns = append(turns, x*h+int(max(0, min(float64(h), row))))
	}
	return turns
}

// runs turns sorted positions into run lengths; two at one place undo each other.
func runs(turns []int, size int) []uint32 {
	out, at := []uint32{}, 0
	for i := 0; i < len(turns); i++ {
		if i+1 < len(turns) && turns[i] == turns[i+1] {
			i++
			continue
		}
		if turns[i] < size {
			out = append(out, uint32(turns[i]-at))
			at = turns[i]
		}
	}
	return append(out, uint32(size-at))
}

func abs(v int) int { return max(v, -v) }

// floorDiv rounds towards minus infinity.
func floorDiv(a, b int) int { return int(math.Floor(float64(a) / float64(b))) }
