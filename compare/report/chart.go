package report

import (
	"cmp"
	"math"
	"slices"

	"trilobite/compare/cost"
)

// costChart draws the monthly cost of every route by volume, both axes logarithmic.
func (r *Report) costChart(l Lang) *canvas {
	const left, right, top, bottom = 84.0, 250.0, 20.0, 60.0
	c := &canvas{w: 1000, h: 420, fonts: r.fonts, title: Text{"Cost a month by volume", "枚数と月額費用"}.In(l)}
	const lo, hi = 3.0, 7.5 // powers of ten of images
	routes := slices.DeleteFunc(slices.Clone(r.Costs.Routes), func(t cost.Table) bool { return t.At.Empty() })
	least, most := 0.0, 1.0
	for _, t := range routes {
		for _, s := range t.Volumes {
			most = max(most, math.Ceil(math.Log10(max(1, s.USD))))
		}
	}
	px := func(images float64) float64 { return left + (math.Log10(images)-lo)/(hi-lo)*(c.w-left-right) }
	py := func(usd float64) float64 {
		return c.h - bottom - (math.Log10(max(1, usd))-least)/(most-least)*(c.h-top-bottom)
	}
	for p := least; p <= most; p++ {
		c.line(left, py(math.Pow(10, p)), c.w-right, py(math.Pow(10, p)), 1, "rule")
		c.text(left-8, py(math.Pow(10, p))+5, 15, 1, false, "dim", "$"+cost.Thousands(math.Pow(10, p)))
	}
	for p := lo; p <= hi; p++ {
		c.text(px(math.Pow(10, p)), c.h-bottom+22, 15, 0.5, false, "dim", cost.Thousands(math.Pow(10, p)))
	}
	c.text(c.w-right, c.h-8, 15, 1, false, "dim", Text{"images a month", "月あたりの枚数"}.In(l))
	const end = 10.0 * 1_000_000 * 3.1622776601683795 // images, where lines end
	slices.SortStableFunc(routes, func(a, b cost.Table) int { return cmp.Compare(a.Month(end).USD, b.Month(end).USD) })
	free := math.Inf(1) // above which a name has room: they are placed from the bottom up
	for _, t := range routes {
		points := make([][2]float64, 181)
		for i := range points {
			images := math.Pow(10, lo+(hi-lo)*float64(i)/180)
			points[i] = [2]float64{px(images), py(t.Month(images).USD)}
		}
		for _, s := range strokes(points, t.Measured) { // those of prices alone are broken lines
			c.line(s[0][0], s[0][1], s[1][0], s[1][1], 2.5, string(t.Kind))
		}
		at := min(points[len(points)-1][1], free)
		free = at - 18
		name := t.Name
		if !t.At.Whole() {
			name += " +"
		}
		c.text(c.w-right+10, at+5, 15, 0, false, string(t.Kind), clip(c, name, 15, right-14))
	}
	return c
}

// strokes joins points by lines: a level stretch by one, so that it has no seams; of a broken line
// every fourth piece is left out.
func strokes(points [][2]float64, whole bool) [][2][2]float64 {
	var out [][2][2]float64
	for i := 1; i < len(points); i++ {
		last := len(out) - 1
		switch {
		case !whole && i%4 == 0:
		case whole && last >= 0 && out[last][0][1] == points[i][1] && out[last][1] == points[i-1]:
			out[last][1] = points[i]
		default:
			out = append(out, [2][2]float64{points[i-1], points[i]})
		}
	}
	return out
}
