package runs

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// chart draws lines as SVG. Colours are the report's CSS variables, so that a chart is
// readable in light and dark and on paper.
type chart struct {
	title        string // for people who do not see it
	x            string // name of the axis
	lines        []line
	fromZero     bool // the y axis begins at 0
	unit         bool // both axes go from 0 to 1
	width, depth float64
}

// line is a line of a chart; points that are not finite are gaps.
type line struct {
	name   string
	points [][2]float64
}

// maxPoints is how many points of a line are drawn; more are averaged.
const maxPoints = 300

const (
	chartWidth  = 560.0
	chartHeight = 240.0
	marginLeft  = 52.0
	marginBelow = 34.0
	marginTop   = 10.0
	marginRight = 12.0
)

func (c chart) SVG() template.HTML {
	if c.width == 0 {
		c.width, c.depth = chartWidth, chartHeight
	}
	var lines [][][2]float64
	for _, l := range c.lines {
		lines = append(lines, thin(l.points))
	}
	x1, x2, y1, y2, ok := c.bounds(lines)
	if !ok {
		return ""
	}
	px := func(x float64) float64 { return marginLeft + (x-x1)/(x2-x1)*(c.width-marginLeft-marginRight) }
	py := func(y float64) float64 { return c.depth - marginBelow - (y-y1)/(y2-y1)*(c.depth-marginBelow-marginTop) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, c.width, c.depth, template.HTMLEscapeString(c.title))
	for _, v := range ticks(y1, y2) {
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f %.1fH%.1f"/><text class="tick" x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			marginLeft, py(v), c.width-marginRight, marginLeft-6, py(v)+4, short(v))
	}
	for _, v := range ticks(x1, x2) {
		if c.x == "step" && v != math.Trunc(v) {
			continue // there are no halves of steps
		}
		fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, px(v), c.depth-marginBelow+16, short(v))
	}
	fmt.Fprintf(&b, `<path class="axis" d="M%.1f %.1fV%.1fH%.1f"/>`, marginLeft, marginTop, c.depth-marginBelow, c.width-marginRight)
	fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, c.width-marginRight, c.depth-4, template.HTMLEscapeString(c.x))
	for i, points := range lines {
		var d strings.Builder
		pen, drawn := "M", 0
		var last [2]float64
		for _, p := range points {
			if !finite(p[1]) {
				pen = "M"
				continue
			}
			fmt.Fprintf(&d, "%s%.1f %.1f", pen, px(p[0]), py(p[1]))
			pen, last = "L", p
			drawn++
		}
		fmt.Fprintf(&b, `<path class="line s%d" d="%s"/>`, i%series, d.String())
		if drawn > 0 && len(points) < 30 {
			fmt.Fprintf(&b, `<circle class="dot s%d" cx="%.1f" cy="%.1f" r="3"/>`, i%series, px(last[0]), py(last[1]))
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // the texts in it are escaped above
}

// series is how many styles of lines the report has.
const series = 6

// Legend lists the lines where there are several.
func (c chart) Legend() []string {
	if len(c.lines) < 2 {
		return nil
	}
	names := make([]string, len(c.lines))
	for i, l := range c.lines {
		names[i] = l.name
	}
	return names
}

// bounds returns the ranges of the axes, or false where there is nothing to draw.
func (c chart) bounds(lines [][][2]float64) (x1, x2, y1, y2 float64, ok bool) {
	x1, x2, y1, y2 = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, points := range lines {
		for _, p := range points {
			if finite(p[1]) {
				x1, x2, y1, y2, ok = min(x1, p[0]), max(x2, p[0]), min(y1, p[1]), max(y2, p[1]), true
			}
		}
	}
	if c.unit {
		return 0, 1, 0, 1, ok
	}
	if c.fromZero {
		y1 = min(y1, 0)
	}
	if x1 == x2 {
		x1, x2 = x1-0.5, x2+0.5
	}
	if y1 == y2 {
		y1, y2 = y1-max(1e-9, math.Abs(y1)*0.1), y2+max(1e-9, math.Abs(y2)*0.1)
	}
	return x1, x2, y1, y2 + (y2-y1)*0.04, ok
}

// thin averages neighbours until at most maxPoints are left. Values that are not finite
// make a gap.
func thin(points [][2]float64) [][2]float64 {
	n := (len(points) + maxPoints - 1) / maxPoints
	if n < 2 {
		return points
	}
	var out [][2]float64
	for at := 0; at < len(points); at += n {
		part := points[at:min(at+n, len(points))]
		var sum [2]float64
		for _, p := range part {
			sum[0] += p[0] / float64(len(part))
			sum[1] += p[1] / float64(len(part))
		}
		out = append(out, sum)
	}
	return out
}

// ticks returns about five round numbers from a to b.
func ticks(a, b float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((b-a)/4)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if (b-a)/(step*m) <= 6 {
			step *= m
			break
		}
	}
	var out []float64
	for i := math.Ceil(a/step - 1e-9); i*step <= b+step*1e-9 && len(out) < 12; i++ {
		out = append(out, i*step)
	}
	return out
}

// short writes a tick.
func short(v float64) string {
	switch a := math.Abs(v); {
	case a < 1e-12:
		return "0"
	case a >= 1e6 || a < 1e-3:
		s := fmt.Sprintf("%.2g", v)
		return strings.Replace(strings.Replace(s, "e+0", "e", 1), "e-0", "e-", 1)
	case a >= 1e4:
		return fmt.Sprintf("%gk", v/1000)
	default:
		return fmt.Sprintf("%.6g", v)
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
