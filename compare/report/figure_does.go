package report

import (
	"fmt"
	"math"
	"slices"

	"trilobite/compare"
)

// does draws what a kind gets right, each of its routes with its interval.
func (r *Report) does(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64 {
	routes := r.of(k)
	if len(routes) == 0 {
		return 40 + c.paragraph(x, y+34, body, w, false, "dim", r.missing(k).In(l)) + 10
	}
	top := y
	for i, m := range routes {
		f := m.Main()
		size := 50.0
		if i > 0 {
			size = 28
		}
		n := c.text(x, y+size, size, 0, true, "fg", number(f.Value))
		c.text(x+n+12, y+size, body, 0, false, "fg", figureName(f.Name).In(l))
		if len(routes) > 1 {
			c.text(x+w, y+size, small, 1, false, "dim", title(m))
		}
		y += size + 14
		interval(c, f, x, y, w, string(k))
		if f.Interval != nil {
			c.text(x, y+26, small, 0, false, "dim", fmt.Sprintf("95 %%: %.2f – %.2f", f.Interval.Low, f.Interval.High))
		}
		y += 44
		if len(m.Known) > 0 {
			y += c.paragraph(x, y+4, small, w, false, "dim", r.knownLine(m).In(l))
		}
	}
	return y - top
}

// bars draws how much of each class a kind's first route finds, level with the other columns'.
func (r *Report) bars(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64 {
	routes := r.of(k)
	if len(routes) == 0 {
		return 0
	}
	top := y
	for _, class := range r.shown() {
		y += 28
		m := routes[0].Classes[class]
		c.text(x, y, small, 0, false, "fg", clip(c, r.Result.Dataset.Classes[class], small, w*0.42))
		bar, wide := x+w*0.44, w*0.39
		if !m.Known {
			c.text(bar, y, small, 0, false, "dim", unsaid(routes[0]).In(l))
			continue
		}
		v := share(m.Recall)
		c.rect(bar, y-12, wide, 12, 3, "track")
		c.rect(bar, y-12, wide*v, 12, 3, string(k))
		c.text(x+w, y, small, 1, false, "fg", fmt.Sprintf("%.0f %%", 100*v))
	}
	y += 28
	note := Text{"bars: found of each class", "棒：クラスごとの再現率"}.In(l)
	if shown, all := len(r.shown()), len(r.Result.Dataset.Classes); shown < all {
		note += fmt.Sprintf(Text{" (%d of %d)", "（%d／%d）"}.In(l), shown, all)
	}
	return y - top + c.paragraph(x, y, tiny, w, false, "dim", note)
}

// knownLine is the figure over what a route has a word for, where that is not everything.
func (r *Report) knownLine(m compare.Measured) Text {
	of := len(r.Result.Dataset.Classes)
	n, v := of-len(m.Unmatched), number(m.Known[0].Value)
	return Text{fmt.Sprintf("%s on the %d of %d classes it knows", v, n, of), fmt.Sprintf("認識できる%d／%dクラスのみでは%s", n, of, v)}
}

// unsaid is what there is to say of a class that a route never means: of the vendors'
// vocabularies nobody knows more.
func unsaid(m compare.Measured) Text {
	if m.Local() {
		return Text{"no word for it", "該当ラベルなし"}
	}
	return Text{"never said", "一度も回答なし"}
}

func share(v compare.Number) float64 {
	if math.IsNaN(float64(v)) {
		return 0
	}
	return min(1, max(0, float64(v)))
}

// mostShown is how many classes the figure has a bar for.
const mostShown = 6

// shown are the classes with the most samples, in the set's order.
func (r *Report) shown() []int {
	var classes []int
	for i, name := range r.Result.Dataset.Classes {
		if name != "" {
			classes = append(classes, i)
		}
	}
	samples := func(k int) int64 {
		for _, m := range r.Result.Routes {
			if m.Missing == "" {
				return m.Classes[k].Samples
			}
		}
		return 0
	}
	slices.SortStableFunc(classes, func(a, b int) int { return int(samples(b) - samples(a)) })
	classes = classes[:min(len(classes), mostShown)]
	slices.Sort(classes)
	return classes
}

// interval draws a figure of 0 to 1 with its interval on a track.
func interval(c *canvas, f compare.Figure, x, y, w float64, fill string) {
	c.line(x, y, x+w, y, 3, "track")
	for _, v := range []float64{0, 0.5, 1} {
		c.line(x+w*v, y-5, x+w*v, y+5, 1.5, "rule")
	}
	if f.Interval != nil {
		c.line(x+w*f.Interval.Low, y, x+w*f.Interval.High, y, 5, fill)
	}
	c.dot(x+w*share(f.Value), y, 7, fill)
}
