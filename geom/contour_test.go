package geom

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mask reads a picture of digits.
func mask(rows ...string) (class []uint8, w, h int) {
	for _, r := range rows {
		for _, c := range r {
			class = append(class, uint8(c-'0'))
		}
	}
	return class, len(rows[0]), len(rows)
}

func TestTrace(t *testing.T) {
	t.Parallel()
	box := func(x1, y1, x2, y2 float64) Polygon { return Polygon{{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}} }
	tests := []struct {
		name string
		rows []string
		want []Region
	}{
		{"one class is one box", []string{"11", "11"}, []Region{{1, 4, box(0, 0, 2, 2), nil}}},
		{"a hole, filled by another class", []string{"111", "121", "111"}, []Region{
			{1, 8, box(0, 0, 3, 3), []Polygon{{{1, 2}, {2, 2}, {2, 1}, {1, 1}}}},
			{2, 1, box(1, 1, 2, 2), nil},
		}},
		{"a corner does not connect", []string{"12", "21"}, []Region{
			{1, 1, box(0, 0, 1, 1), nil}, {2, 1, box(1, 0, 2, 1), nil}, {2, 1, box(0, 1, 1, 2), nil}, {1, 1, box(1, 1, 2, 2), nil},
		}},
		{"a step", []string{"10", "11"}, []Region{
			{1, 3, Polygon{{0, 0}, {1, 0}, {1, 1}, {2, 1}, {2, 2}, {0, 2}}, nil}, {0, 1, box(1, 0, 2, 1), nil},
		}},
		{"a hole open at a corner", []string{"1110", "1011", "1111"}, []Region{
			{1, 10, Polygon{{0, 0}, {3, 0}, {3, 1}, {4, 1}, {4, 3}, {0, 3}}, []Polygon{{{1, 2}, {2, 2}, {2, 1}, {1, 1}}}},
			{0, 1, box(3, 0, 4, 1), nil}, {0, 1, box(1, 1, 2, 2), nil},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Trace(mask(tt.rows...))); diff != "" {
				t.Errorf("regions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTraceAreas holds outlines of noise against the pixels they enclose: signed areas
// add up exactly, and each pixel is inside its own region's outline alone.
func TestTraceAreas(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	for _, classes := range []int{2, 3, 7} {
		w, h := 31, 23
		class := make([]uint8, w*h)
		for i := range class {
			class[i] = uint8(rng.IntN(classes))
		}
		seen := make([]int, w*h)
		for _, r := range Trace(class, w, h) {
			area := signed(r.Outer)
			if area <= 0 {
				t.Fatalf("outer outline of area %v", area)
			}
			for _, hole := range r.Holes {
				if signed(hole) >= 0 {
					t.Fatalf("hole of area %v", signed(hole))
				}
				area += signed(hole)
			}
			if area != float64(r.Pixels) {
				t.Fatalf("outlines enclose %v, the region has %d pixels", area, r.Pixels)
			}
			for p := range class {
				x, y := float64(p%w)+0.5, float64(p/w)+0.5
				n := winding(r.Outer, x, y)
				for _, hole := range r.Holes {
					n += winding(hole, x, y)
				}
				if n != 0 {
					seen[p] += n
					if class[p] != r.Class {
						t.Fatalf("pixel %v, %v of class %d is inside class %d", x, y, class[p], r.Class)
					}
				}
			}
		}
		for p, n := range seen {
			if n != 1 {
				t.Fatalf("pixel %d is in %d outlines", p, n)
			}
		}
	}
}

func signed(p Polygon) float64 {
	sum := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		sum += a.X*b.Y - b.X*a.Y
	}
	return sum / 2
}

// winding counts how often p goes around a point.
func winding(p Polygon, x, y float64) int {
	n := 0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		if a.X == b.X && a.X > x && min(a.Y, b.Y) < y && y < max(a.Y, b.Y) {
			if b.Y > a.Y {
				n++
			} else {
				n--
			}
		}
	}
	return n
}

func TestSimplify(t *testing.T) {
	t.Parallel()
	var stairs Polygon // a diagonal in steps of a pixel, closed below
	for i := range 10 {
		stairs = append(stairs, Point{float64(i), float64(i)}, Point{float64(i + 1), float64(i)})
	}
	stairs = append(stairs, Point{10, 10}, Point{0, 10})
	got := stairs.Simplify(1)
	if diff := cmp.Diff(Polygon{{0, 0}, {10, 10}, {0, 10}}, got); diff != "" {
		t.Errorf("stairs (-want +got):\n%s", diff)
	}
	for _, keep := range []Polygon{{{0, 0}, {1, 0}, {1, 1}, {0, 1}}, {{0, 0}, {1, 0}}, nil} {
		if diff := cmp.Diff(keep, keep.Simplify(5)); diff != "" {
			t.Errorf("what would vanish (-want +got):\n%s", diff)
		}
	}
	if got := stairs.Simplify(0); len(got) != len(stairs) {
		t.Errorf("no tolerance leaves %d of %d points", len(got), len(stairs))
	}
}

// TestSimplifyTolerance checks on a ragged circle that no point left out is farther than
// the tolerance from what remains.
func TestSimplifyTolerance(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	var ring Polygon
	for i := range 300 {
		a, r := float64(i)/300*2*math.Pi, 40+rng.Float64()*3
		ring = append(ring, Point{r * math.Cos(a), r * math.Sin(a)})
	}
	for _, tolerance := range []float64{0.5, 2, 8} {
		out := ring.Simplify(tolerance)
		for _, q := range ring {
			d := math.Inf(1)
			for i, a := range out {
				d = min(d, distance(q, a, out[(i+1)%len(out)]))
			}
			if d > tolerance+1e-9 {
				t.Fatalf("tolerance %v: a point is %v away", tolerance, d)
			}
		}
		if len(out) >= len(ring) {
			t.Errorf("tolerance %v leaves all %d points", tolerance, len(out))
		}
	}
}
