// Package stats counts what is in a data set: classes, parts, sizes of pictures and
// boxes, and which classes are seen together. Of returns the figures, Page draws them.
package stats

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"

	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/imageio"
)

// Stats are the figures of a set.
type Stats struct {
	Images     int            `json:"images"`
	Objects    int            `json:"objects"`
	Masks      int            `json:"masks"`
	Unlabelled int            `json:"unlabelled"`
	Splits     map[string]int `json:"splits,omitempty"`
	Classes    []Class        `json:"classes"`

	Width  Range `json:"width"` // of pictures, pixels
	Height Range `json:"height"`
	// BoxSide is the root of the boxes' areas, pixels; BoxShare that of their share of the
	// picture's area, 0 to 1.
	BoxSide  Range `json:"box_side"`
	BoxShare Range `json:"box_share"`
	Aspect   Range `json:"aspect"` // of boxes, width over height
	// Small, Medium and Large are COCO's: below 32² pixels, below 96², and above.
	Small  int `json:"small"`
	Medium int `json:"medium"`
	Large  int `json:"large"`

	PerImage []int   `json:"objects_per_image"` // pictures with 0, 1, 2 … objects; the last has all above
	Sides    []Bin   `json:"box_sides"`
	Together [][]int `json:"together"` // pictures that show both classes; on the diagonal one

	sizes [][2]int // of pictures
}

// Class is one class's figures.
type Class struct {
	Name    string         `json:"name"`
	Images  int            `json:"images"`
	Objects int            `json:"objects"`
	Pixels  int64          `json:"pixels,omitempty"` // of masks
	Splits  map[string]int `json:"splits,omitempty"` // pictures by part
}

// Range is how values spread.
type Range struct {
	Min    float64 `json:"min"`
	P10    float64 `json:"p10"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	Max    float64 `json:"max"`
}

// Bin counts values from From up to the next bin's.
type Bin struct {
	From  float64 `json:"from"`
	Count int     `json:"count"`
}

// manyObjects is the last of Stats.PerImage.
const manyObjects = 50

// Of returns a set's figures. It reads the headers of pictures whose size is not known,
// and decodes masks. step is called after each picture; it may be nil.
func Of(ctx context.Context, s *dataset.Set, step func()) (*Stats, error) {
	st := &Stats{Images: len(s.Images), Classes: make([]Class, len(s.Classes)), PerImage: make([]int, manyObjects+1), Together: make([][]int, len(s.Classes))}
	for c, name := range s.Classes {
		st.Classes[c] = Class{Name: name, Splits: map[string]int{}}
		st.Together[c] = make([]int, len(s.Classes))
	}
	var widths, heights, sides, shares, aspects []float64
	for i := range s.Images {
		img := &s.Images[i]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		st.picture(img)
		w, h := img.W, img.H
		if w == 0 {
			if head, err := imageio.ProbeFile(img.File); err == nil {
				w, h = head.W, head.H
			}
		}
		if w > 0 {
			st.sizes = append(st.sizes, [2]int{w, h})
			widths, heights = append(widths, float64(w)), append(heights, float64(h))
		}
		for _, o := range img.Objects {
			side := math.Sqrt(o.Box.Area())
			sides, aspects = append(sides, side), append(aspects, o.Box.W/o.Box.H)
			if w > 0 {
				shares = append(shares, side/math.Sqrt(float64(w)*float64(h)))
			}
		}
		if step != nil {
			step()
		}
	}
	st.Width, st.Height, st.BoxSide, st.BoxShare, st.Aspect = spread(widths), spread(heights), spread(sides), spread(shares), spread(aspects)
	st.Sides = bins(sides)
	for _, v := range sides {
		switch { // cocodataset/cocoapi, PythonAPI/pycocotools/cocoeval.py
		case v < 32:
			st.Small++
		case v < 96:
			st.Medium++
		default:
			st.Large++
		}
	}
	last := manyObjects
	for last > 0 && st.PerImage[last] == 0 {
		last--
	}
	st.PerImage = st.PerImage[:last+1]
	return st, st.masks(ctx, s)
}

// picture counts one picture.
func (st *Stats) picture(img *dataset.Image) {
	if img.Split != "" {
		if st.Splits == nil {
			st.Splits = map[string]int{}
		}
		st.Splits[img.Split]++
	}
	if img.Mask != "" {
		st.Masks++
	} else if len(img.Classes)+len(img.Objects) == 0 {
		st.Unlabelled++
	}
	st.Objects += len(img.Objects)
	st.PerImage[min(manyObjects, len(img.Objects))]++
	seen := slices.Clone(img.Classes)
	for _, o := range img.Objects {
		st.Classes[o.Class].Objects++
		seen = append(seen, o.Class)
	}
	slices.Sort(seen)
	seen = slices.Compact(seen)
	for _, a := range seen {
		st.Classes[a].Images++
		if img.Split != "" {
			st.Classes[a].Splits[img.Split]++
		}
		for _, b := range seen {
			st.Together[a][b]++
		}
	}
}

// masks counts the pixels of each class.
func (st *Stats) masks(ctx context.Context, s *dataset.Set) error {
	if st.Masks == 0 {
		return nil
	}
	some := *s
	some.Images, some.Dropped = slices.Clone(s.Images), nil // Scan leaves out what it cannot decode
	pixels, err := masks.Scan(ctx, &some, runtime.GOMAXPROCS(0), nil)
	for c, n := range pixels {
		st.Classes[c].Pixels = n
	}
	return err
}

// spread returns the range of values, which it sorts; zeros where there are none. A
// quantile is the value at its place, rounded down.
func spread(v []float64) Range {
	if len(v) == 0 {
		return Range{}
	}
	slices.Sort(v)
	at := func(q float64) float64 { return v[int(q*float64(len(v)-1))] }
	return Range{v[0], at(0.1), at(0.5), at(0.9), v[len(v)-1]}
}

// bins counts sides in steps of half a power of two.
func bins(v []float64) []Bin {
	counts := map[int]int{}
	for _, x := range v {
		counts[int(math.Floor(2*math.Log2(max(1, x))))]++
	}
	var out []Bin
	for k := range 64 {
		if n := counts[k]; n > 0 || len(out) > 0 {
			out = append(out, Bin{math.Exp2(float64(k) / 2), n})
		}
	}
	for len(out) > 0 && out[len(out)-1].Count == 0 {
		out = out[:len(out)-1]
	}
	return out
}

// ByCount returns the classes that have a name or pictures, the most frequent first.
func (st *Stats) ByCount() []int {
	var out []int
	for c, v := range st.Classes {
		if v.Name != "" || v.Images > 0 {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int {
		x, y := st.Classes[a], st.Classes[b]
		return cmp.Or(cmp.Compare(y.Images, x.Images), cmp.Compare(y.Objects, x.Objects), cmp.Compare(y.Pixels, x.Pixels))
	})
	return out
}
