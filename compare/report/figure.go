package report

import (
	"fmt"
	"slices"

	"trilobite/compare"
	"trilobite/compare/cost"
)

// The figure's measures in pixels: at the 170 mm between the margins of an A4 page its smallest
// letters have 6.8 points.
const (
	figureWidth = 1060.0
	edge        = 18.0
	gutter      = 14.0
	inside      = 16.0 // of a column
	tiny        = 15.0
	small       = 16.0
	body        = 18.0
)

// firstRuled is the first section that a line sets off from the one above.
const firstRuled = 3

// figure draws the comparison: three columns, one for each kind of route, with what it can
// do, what it costs and what it asks.
func (r *Report) figure(l Lang) *canvas {
	c := &canvas{w: figureWidth, fonts: r.fonts, title: Text{"Pretrained API, custom model and own model on the same images", "学習済みAPI・カスタムモデル・独自モデルの比較"}.In(l)}
	y := edge + 26
	c.text(edge, y, 27, 0, true, "fg", c.title)
	y += 30
	c.text(edge, y, small, 0, false, "dim", clip(c, r.caption(l), small, figureWidth-2*edge))
	y += 24
	width := (figureWidth - 2*edge - 2*gutter) / 3
	sections := []func(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64{r.head, r.does, r.bars, r.costs, r.asks}
	tops := []float64{y}
	for _, s := range sections {
		most := 0.0
		for _, k := range compare.Kinds() {
			scratch := &canvas{fonts: r.fonts}
			most = max(most, s(scratch, k, l, 0, 0, width-2*inside))
		}
		tops = append(tops, tops[len(tops)-1]+most)
	}
	bottom := tops[len(tops)-1] + 12
	for i, k := range compare.Kinds() {
		x := edge + float64(i)*(width+gutter)
		c.rect(x, y, width, bottom-y, 10, "card")
		c.rect(x, y, width, 7, 3, string(k))
		for s, section := range sections {
			section(c, k, l, x+inside, tops[s], width-2*inside)
			if s >= firstRuled && r.has(k) {
				c.line(x+inside, tops[s]+4, x+width-inside, tops[s]+4, 1, "rule")
			}
		}
	}
	c.h = bottom + 8 + c.paragraph(edge, bottom+26, tiny, figureWidth-2*edge, false, "dim", r.footnote(l)) + edge/2
	return c
}

func (r *Report) caption(l Lang) string {
	d := r.Result.Dataset
	if l == Japanese {
		return fmt.Sprintf("%s：%d枚の画像（%s）、%dクラス、学習用%d枚。%s", base(d.Path), d.Test, partName(d.Part).JA, len(d.Classes), d.Train, r.Result.Ended.Format("2006-01-02"))
	}
	return fmt.Sprintf("%s: %d images (%s), %d classes, %d to learn from. %s", base(d.Path), d.Test, d.Part, len(d.Classes), d.Train, r.Result.Ended.Format("2006-01-02"))
}

func (r *Report) footnote(l Lang) string {
	m := r.Result.Machine
	machine := ""
	if usd := r.Costs.Assumptions.Machine; usd != nil {
		machine = fmt.Sprintf(Text{" Your own machine at %s an hour.", "自分のマシンは1時間%sとした。"}.In(l), perUnit(*usd))
	}
	if l == Japanese {
		return fmt.Sprintf("横線は95%%信頼区間。速度は%dコア（%s）で測定。%s「+」は不明な費目を除いた額。Trilobite %s", m.Cores, m.CPU, machine, r.Result.Version)
	}
	return fmt.Sprintf("Lines are 95 %% intervals. Speeds on %d cores, %s.%s “+”: unknown costs are left out. Trilobite %s", m.Cores, m.CPU, machine, r.Result.Version)
}

func (r *Report) head(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64 {
	c.text(x, y+44, 25, 0, true, string(k), kindTitle(k).In(l))
	return 48 + c.paragraph(x, y+70, small, w, false, "dim", kindLine(k).In(l)) + 16
}

// of returns the routes of a kind that have figures.
func (r *Report) of(k compare.Kind) []compare.Measured {
	return slices.DeleteFunc(slices.Clone(r.Result.Routes), func(m compare.Measured) bool { return m.Kind != k || m.Missing != "" })
}

// has reports whether there is anything to say of a kind's costs: a route that was measured,
// or a vendor with a price.
func (r *Report) has(k compare.Kind) bool {
	return slices.ContainsFunc(r.Costs.Routes, func(t cost.Table) bool { return t.Kind == k })
}

// clip shortens a text to a width.
func clip(c *canvas, text string, size, w float64) string {
	runes := []rune(text)
	if c.width(size, false, text) <= w {
		return text
	}
	for len(runes) > 1 && c.width(size, false, string(runes)+"…") > w {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
