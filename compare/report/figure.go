package report

import (
	"fmt"
	"math"
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

// figure draws the comparison: three columns, one for each kind of route, with what it can
// do, what it costs and what it asks.
func (r *Report) figure(l Lang) *canvas {
	c := &canvas{w: figureWidth, fonts: r.fonts, title: Text{"Pretrained API, custom model and own model on the same images", "学習済みAPI・カスタムモデル・独自モデルの比較"}.In(l)}
	y := edge + 26
	c.text(edge, y, 27, 0, true, "fg", c.title)
	y += 30
	c.text(edge, y, small, 0, false, "dim", r.caption(l))
	y += 24
	width := (figureWidth - 2*edge - 2*gutter) / 3
	sections := []func(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64{r.head, r.does, r.costs, r.asks}
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
			if s > 1 && r.has(k) {
				c.line(x+inside, tops[s]+4, x+width-inside, tops[s]+4, 1, "rule")
			}
		}
	}
	c.text(edge, bottom+26, tiny, 0, false, "dim", r.footnote(l))
	c.h = bottom + 26 + edge/2
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
	if l == Japanese {
		return fmt.Sprintf("横線は95%%信頼区間（ブートストラップ）。速度は%dコア（%s）で測定。「+」は不明な費目を除いた額。Trilobite %s", m.Cores, m.CPU, r.Result.Version)
	}
	return fmt.Sprintf("Lines are 95 %% intervals (bootstrap). Speeds on %d cores, %s. “+”: unknown costs are left out. Trilobite %s", m.Cores, m.CPU, r.Result.Version)
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

// does draws what a kind gets right.
func (r *Report) does(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64 {
	routes := r.of(k)
	if len(routes) == 0 {
		return 40 + c.paragraph(x, y+34, body, w, false, "dim", r.missing(k, l)) + 10
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
			c.text(x+w, y+size, small, 1, false, "dim", title(m, l))
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
	y += 22
	note := Text{"bars: found of each class", "棒：クラスごとの再現率"}.In(l)
	if rest := len(r.Result.Dataset.Classes) - len(r.shown()); rest > 0 {
		note = fmt.Sprintf(Text{"bars: found of each class; %d more in the report", "棒：クラスごとの再現率。ほか%dクラスは報告書に"}.In(l), rest)
	}
	c.text(x, y, tiny, 0, false, "dim", note)
	return y - top + 18
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

// costs draws what a kind costs a month, and how fast it is.
func (r *Report) costs(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64 {
	if !r.has(k) {
		return 0
	}
	top := y
	y += 34
	c.text(x, y, body, 0, true, "fg", fmt.Sprintf(Text{"Cost of %s images a month", "月%s枚の費用"}.In(l), thousands(r.Costs.Assumptions.Volume)))
	y += 4
	for _, t := range r.Costs.Routes {
		if t.Kind != k {
			continue
		}
		y += 27
		name := serviceName(t.Service)
		if t.Local {
			name = Text{"on your own machine", "自分のマシン"}.In(l)
			if len(r.of(k)) > 1 {
				name += " (" + t.Name + ")"
			}
		}
		c.text(x+w, y, body, 1, true, "fg", sum(t.At, l))
		c.text(x, y, small, 0, false, "fg", clip(c, name, small, w-c.width(body, true, sum(t.At, l))-10))
		if len(t.At.Without) > 0 {
			y += c.paragraph(x, y+20, tiny, w, false, "dim", Text{"without: ", "含まない費目："}.In(l)+whatNames(t.At.Without, l))
		}
	}
	for _, m := range r.of(k) {
		y += 30
		name := Text{"one image, p50 / p95", "1枚の時間（p50／p95）"}.In(l)
		if len(r.of(k)) > 1 {
			name = title(m, l) + ", p50 / p95"
		}
		value := duration(m.Latency.P50, l) + " / " + duration(m.Latency.P95, l)
		c.text(x, y, small, 0, false, "dim", clip(c, name, small, w-c.width(small, false, value)-10))
		c.text(x+w, y, small, 1, false, "fg", value)
		y += 25
		c.text(x, y, small, 0, false, "dim", Text{"images a second", "毎秒の枚数"}.In(l))
		c.text(x+w, y, small, 1, false, "fg", fmt.Sprintf("%.1f", m.Throughput))
	}
	return y - top + 20
}

// asks draws what a kind asks of the team.
func (r *Report) asks(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64 {
	if !r.has(k) {
		return 0
	}
	top := y
	y += 34
	c.text(x, y, body, 0, true, "fg", Text{"What it asks of you", "必要なもの"}.In(l))
	line := func(name, value string) {
		y += 27
		c.text(x, y, small, 0, false, "dim", name)
		c.text(x+w, y, small, 1, false, "fg", clip(c, value, small, w-c.width(small, false, name)-10))
	}
	if routes := r.of(k); len(routes) > 0 {
		m := routes[0]
		labelled := Text{"none", "なし"}.In(l)
		if m.TrainImages > 0 {
			labelled = thousands(float64(m.TrainImages))
		}
		line(Text{"labelled images", "ラベル付き画像"}.In(l), labelled)
		line(Text{"training", "学習"}.In(l), duration(m.Training, l))
		line(Text{"memory", "メモリ"}.In(l), bytesOf(m.PeakMemory))
		leaves := Text{"nothing", "なし"}.In(l)
		for _, m := range routes {
			if !m.Local() {
				leaves = fmt.Sprintf(Text{"images, to %s", "画像（%sへ）"}.In(l), m.Host)
			}
		}
		line(Text{"leaves this machine", "外に出るデータ"}.In(l), leaves)
	}
	for _, row := range r.Table {
		if !slices.Contains([]string{"architecture", "preprocessing"}, row.ID) {
			continue
		}
		at := slices.IndexFunc(r.Costs.Routes, func(t cost.Table) bool { return t.Kind == k })
		if at >= 0 {
			y += 27
			c.text(x, y, small, 0, false, "dim", row.In(l))
			y += c.paragraph(x+14, y+22, small, w-14, false, "fg", row.Cells[at].In(l))
		}
	}
	for _, m := range r.of(k) {
		if len(m.Curve) > 1 {
			y += 34
			y += curve(c, m, l, x, y, w, string(k))
			break
		}
	}
	return y - top + 16
}

// curve draws the main figure by the number of labelled images.
func curve(c *canvas, m compare.Measured, l Lang, x, y, w float64, fill string) float64 {
	const high = 96.0
	c.text(x, y, small, 0, false, "dim", fmt.Sprintf(Text{"%s by labelled images", "%sとラベル付き画像の数"}.In(l), figureName(m.Main().Name).In(l)))
	y += 22
	left, right := x+36, x+w-14
	most := float64(m.Curve[len(m.Curve)-1].Images)
	at := func(p compare.Point) (float64, float64) {
		return left + (right-left)*float64(p.Images)/most, y + high*(1-share(p.Main.Value))
	}
	for _, v := range []float64{0, 0.5, 1} {
		c.line(left, y+high*(1-v), right, y+high*(1-v), 1, "rule")
		c.text(left-8, y+high*(1-v)+5, tiny, 1, false, "dim", fmt.Sprintf("%g", v))
	}
	for i, p := range m.Curve {
		px, py := at(p)
		if in := p.Main.Interval; in != nil {
			c.line(px, y+high*(1-in.Low), px, y+high*(1-in.High), 2, fill)
		}
		if i > 0 {
			qx, qy := at(m.Curve[i-1])
			c.line(qx, qy, px, py, 3, fill)
		}
		c.dot(px, py, 5, fill)
	}
	last := math.Inf(-1)
	for _, p := range m.Curve {
		px, _ := at(p)
		if text := thousands(float64(p.Images)); px-last > c.width(tiny, false, text)+10 {
			c.text(px, y+high+20, tiny, 0.5, false, "dim", text)
			last = px
		}
	}
	return 22 + high + 24
}
