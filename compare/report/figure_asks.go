package report

import (
	"fmt"
	"math"
	"slices"

	"trilobite/compare"
	"trilobite/compare/cost"
)

// costs draws what a kind costs a month, and how fast it is.
func (r *Report) costs(c *canvas, k compare.Kind, l Lang, x, y, w float64) float64 {
	if !r.has(k) {
		return 0
	}
	top := y
	y += 34
	c.text(x, y, body, 0, true, "fg", fmt.Sprintf(Text{"Cost of %s images a month", "月%s枚の費用"}.In(l), cost.Thousands(r.Costs.Assumptions.Volume)))
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
		name := Text{"one image, p50 / p95", "1枚の時間 p50 / p95"}.In(l)
		if len(r.of(k)) > 1 {
			name = title(m) + ", p50 / p95"
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
		labelled, training := Text{"none", "なし"}.In(l), Text{"none", "なし"}.In(l)
		switch {
		case m.TrainImages > 0:
			labelled, training = cost.Thousands(float64(m.TrainImages)), duration(m.Training, l)
		case k != compare.Pretrained:
			labelled, training = Text{"before this run", "事前に用意"}.In(l), Text{"before this run", "事前に実施"}.In(l)
		}
		line(Text{"labelled images", "ラベル付き画像"}.In(l), labelled)
		line(Text{"training", "学習"}.In(l), training)
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
		if text := cost.Thousands(float64(p.Images)); px-last > c.width(tiny, false, text)+10 {
			c.text(px, y+high+20, tiny, 0.5, false, "dim", text)
			last = px
		}
	}
	return 22 + high + 24
}
