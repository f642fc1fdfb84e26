package stats

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"trilobite/dataset"
)

//go:embed page.gohtml
var pageText string

// Bounds of what a page draws.
const (
	maxBars = 60   // classes
	maxHeat = 40   // classes side by side
	maxDots = 2000 // pictures
)

// bar is a line of a bar chart.
type bar struct {
	Name  string
	Count int64
	Share float64 // of the longest, percent
}

// Page writes the figures of the set called title as one HTML file that needs nothing
// else.
func (st *Stats) Page(w io.Writer, title string) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	order := st.ByCount()
	unit, count := "pictures", func(c Class) int64 { return int64(c.Images) }
	switch {
	case st.Objects > 0:
		unit, count = "objects", func(c Class) int64 { return int64(c.Objects) }
	case st.Masks > 0:
		unit, count = "pixels", func(c Class) int64 { return c.Pixels }
	}
	var classes []bar
	for _, c := range order[:min(maxBars, len(order))] {
		classes = append(classes, bar{Name: st.Classes[c].Name, Count: count(st.Classes[c])})
	}
	slices.SortStableFunc(classes, func(a, b bar) int { return cmp.Compare(b.Count, a.Count) })
	var sides, per []bar
	for _, b := range st.Sides {
		sides = append(sides, bar{Name: fmt.Sprintf("%.0f px", b.From), Count: int64(b.Count)})
	}
	if st.Objects > 0 {
		for n, images := range st.PerImage {
			name := fmt.Sprint(n)
			if n == manyObjects {
				name += "+"
			}
			per = append(per, bar{Name: name, Count: int64(images)})
		}
	}
	var parts []string
	for _, s := range dataset.Splits() {
		if st.Splits[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, st.Splits[s]))
		}
	}
	return t.Execute(w, map[string]any{
		"Title": title, "Stats": st, "Unit": unit, "Classes": shared(classes), "More": max(0, len(order)-maxBars),
		"Sides": shared(sides), "PerImage": shared(per), "Sizes": st.dots(), "Heat": st.heat(order), "Parts": strings.Join(parts, ", "),
	})
}

// shared fills in the bars' shares.
func shared(bars []bar) []bar {
	most := int64(1)
	for _, b := range bars {
		most = max(most, b.Count)
	}
	for i := range bars {
		bars[i].Share = 100 * float64(bars[i].Count) / float64(most)
	}
	return bars
}

// dots draws a dot for each picture at its width and height.
func (st *Stats) dots() template.HTML {
	if len(st.sizes) == 0 {
		return ""
	}
	const side, left, below = 300.0, 50.0, 30.0
	most := 1.0
	for _, s := range st.sizes {
		most = max(most, float64(s[0]), float64(s[1]))
	}
	scale := (side - left - 10) / most
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="width and height of the pictures">`, side, side)
	fmt.Fprintf(&b, `<path class="axis" d="M%g 5V%gH%g"/><path class="grid" d="M%g %gL%g %g"/>`, left, side-below, side-5, left, side-below, left+most*scale, side-below-most*scale)
	fmt.Fprintf(&b, `<text class="tick" x="%g" y="%g" text-anchor="end">%.0f px wide</text><text class="tick" x="%g" y="16" text-anchor="end">%.0f</text><text class="tick" x="%g" y="30" text-anchor="end">high</text>`, side-5, side-12, most, left-5, most, left-5)
	step := (len(st.sizes) + maxDots - 1) / maxDots
	for i := 0; i < len(st.sizes); i += step {
		s := st.sizes[i]
		fmt.Fprintf(&b, `<circle class="dot" cx="%.1f" cy="%.1f" r="3"/>`, left+float64(s[0])*scale, side-below-float64(s[1])*scale)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers only
}

// row is a class's line of the table of what is seen together.
type row struct {
	Name  string
	Cells []cell
}

type cell struct {
	Count int
	Share float64 // of the rarer class's pictures, percent
}

// heat returns the table of classes that are seen together; nil where no two are.
func (st *Stats) heat(order []int) []row {
	order = order[:min(maxHeat, len(order))]
	var out []row
	together := false
	for _, a := range order {
		r := row{Name: st.Classes[a].Name}
		for _, b := range order {
			n := st.Together[a][b]
			together = together || a != b && n > 0
			c := cell{Count: n}
			if rarer := min(st.Classes[a].Images, st.Classes[b].Images); rarer > 0 && a != b {
				c.Share = math.Round(100 * float64(n) / float64(rarer))
			}
			r.Cells = append(r.Cells, c)
		}
		out = append(out, r)
	}
	if !together {
		return nil
	}
	return out
}
