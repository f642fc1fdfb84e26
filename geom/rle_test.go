package geom

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type rleCase struct {
	Name    string
	W, H    int
	Polygon []float64
	Counts  string
	Area    int
	Box     [4]float64
	Rows    []string
}

func rleCases(t testing.TB) []rleCase {
	t.Helper()
	data, err := os.ReadFile("testdata/rle.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Cases []rleCase }
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f.Cases
}

func polygon(flat []float64) Polygon {
	var p Polygon
	for i := 0; i+1 < len(flat); i += 2 {
		p = append(p, Point{flat[i], flat[i+1]})
	}
	return p
}

// TestPolygonRLE compares with pycocotools (golden/rle.py).
func TestPolygonRLE(t *testing.T) {
	t.Parallel()
	for _, c := range rleCases(t) {
		r := polygon(c.Polygon).RLE(c.W, c.H)
		if got := r.String(); got != c.Counts {
			t.Errorf("%s: %q, pycocotools has %q", c.Name, got, c.Counts)
		}
	}
}

func TestParseRLE(t *testing.T) {
	t.Parallel()
	for _, c := range rleCases(t) {
		r, err := ParseRLE(c.W, c.H, c.Counts)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if got := r.String(); got != c.Counts {
			t.Errorf("%s: there and back %q, want %q", c.Name, got, c.Counts)
		}
		if b := r.Bounds(); r.Area() != c.Area || [4]float64{b.X, b.Y, b.W, b.H} != c.Box {
			t.Errorf("%s: area %d, bounds %v; want %d, %v", c.Name, r.Area(), b, c.Area, c.Box)
		}
		if c.Rows == nil {
			continue
		}
		mask := []uint8(strings.Repeat("0", c.W*c.H))
		r.Fill(mask, '1')
		if diff := cmp.Diff(strings.Join(c.Rows, ""), string(mask)); diff != "" {
			t.Errorf("%s: pixels (-want +got):\n%s", c.Name, diff)
		}
	}
}

func TestParseRLERefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		w, h int
		text string
		want string
	}{
		{"breaks off", 8, 6, "P", "break off"},
		{"a number without end", 8, 6, strings.Repeat("o", 40), "too long"},
		{"a strange letter", 8, 6, "1 2", `' ' does not occur`},
		{"too few pixels", 8, 6, "11", "cover 2 pixels"},
		{"negative run", 8, 6, "O", "a run of -1"},
		{"no pixels at all", 0, 6, "", "mask of 0×6"},
		{"sides that overflow", math.MaxInt, math.MaxInt, "", "a mask of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := ParseRLE(tt.w, tt.h, tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestPolygonFarOut has coordinates that would take a walker of the outline hours.
func TestPolygonFarOut(t *testing.T) {
	t.Parallel()
	p := Polygon{{-1e300, -1e300}, {1e300, -1e300}, {1e300, 1e300}, {-1e300, 1e300}}
	if got := p.RLE(50, 40).Area(); got != 2000 {
		t.Errorf("covers %d pixels of 2000", got)
	}
	if got := (Polygon{}).RLE(5, 4); got.Area() != 0 || got.Runs[0] != 20 {
		t.Errorf("no points: %v", got)
	}
}

func TestPolygonArea(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		p    Polygon
		area float64
		box  Rect
	}{
		{"clockwise", Polygon{{1, 1}, {4, 1}, {4, 3}, {1, 3}}, 6, Rect{1, 1, 3, 2}},
		{"the other way round", Polygon{{1, 3}, {4, 3}, {4, 1}, {1, 1}}, 6, Rect{1, 1, 3, 2}},
		{"a line", Polygon{{1, 1}, {4, 1}}, 0, Rect{1, 1, 3, 0}},
		{"nothing", nil, 0, Rect{}},
	}
	for _, tt := range tests {
		if got, box := tt.p.Area(), tt.p.Bounds(); got != tt.area || box != tt.box {
			t.Errorf("%s: area %v, bounds %v; want %v, %v", tt.name, got, box, tt.area, tt.box)
		}
	}
}

func FuzzParseRLE(f *testing.F) {
	f.Add(8, 6, "7409")
	f.Fuzz(func(t *testing.T, w, h int, text string) {
		r, err := ParseRLE(w, h, text)
		if err != nil || w*h > 1<<20 {
			return
		}
		r.Fill(make([]uint8, w*h), 1)
		again, err := ParseRLE(w, h, r.String())
		if err != nil || again.Area() != r.Area() || again.Bounds() != r.Bounds() {
			t.Errorf("%v there and back is %v, error %v", r, again, err)
		}
	})
}
