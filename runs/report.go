package runs

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"trilobite/atomicfile"
	"trilobite/metric"
)

//go:embed report.gohtml
var reportText string

// report is what the template reads.
type report struct {
	Run
	*Evaluation
	Took     string
	Charts   []reportChart
	PR       []reportCurve
	Recipe   string
	Versions [][2]string
	More     int // dropped samples beyond the list
	Dashes   []template.CSS
}

type reportChart struct {
	EN, JA string
	SVG    template.HTML
	Legend []string
}

type reportCurve struct {
	Class string
	AP    Number
	SVG   template.HTML
}

// maxDropped is how many dropped samples the report lists.
const maxDropped = 500

// WriteReport writes a run's report.html from what its folder holds, whatever state the
// run is in, and returns its path.
func (s *Store) WriteReport(id string) (string, error) {
	r, err := s.Get(id)
	if err != nil {
		return "", err
	}
	events, err := s.Events(r.ID)
	if err != nil {
		return "", err
	}
	e, err := s.Evaluation(r.ID)
	if err != nil {
		return "", err
	}
	page, err := render(r, events, e, time.Now())
	if err != nil {
		return "", fmt.Errorf("report of run %s: %w", r.ID, err)
	}
	return s.Dir(r.ID) + "/report.html", atomicfile.WriteFile(filepath.Join(s.Dir(r.ID), "report.html"), page, atomicfile.Perm)
}

// render returns the report: one HTML file that needs nothing else. Whatever comes from
// outside, names of files and classes above all, goes through html/template.
func render(r Run, events []Event, e *Evaluation, now time.Time) ([]byte, error) {
	if e == nil {
		e = &Evaluation{}
	}
	p := report{Run: r, Evaluation: e, Took: r.Elapsed(now).Round(time.Second).String(), Charts: charts(events, r.Dataset.Classes), Dashes: dashes()}
	if n := len(p.Dataset.Dropped); n > maxDropped {
		p.Dataset.Dropped, p.More = p.Dataset.Dropped[:maxDropped], n-maxDropped
	}
	var recipe bytes.Buffer
	if json.Indent(&recipe, r.Recipe, "", "  ") == nil {
		p.Recipe = recipe.String()
	}
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		p.Versions = append(p.Versions, [2]string{name, r.Versions[name]})
	}
	for _, c := range e.Curves {
		points := make([][2]float64, min(len(c.Recall), len(c.Precision)))
		for i := range points {
			points[i] = [2]float64{c.Recall[i], c.Precision[i]}
		}
		p.PR = append(p.PR, reportCurve{c.Class, c.AP, chart{title: "precision by recall, " + c.Class, x: "recall", lines: []line{{"", points}}, unit: true, width: 260, depth: 200}.SVG()})
	}
	t, err := template.New("report").Funcs(template.FuncMap{
		"t": bilingual, "figure": figure, "share": share, "picture": picture, "bins": bins, "add": func(a, b int) int { return a + b },
		"bar": func(v Number) int64 {
			if !finite(float64(v)) {
				return 0
			}
			return int64(math.Round(100 * max(0, min(1, float64(v)))))
		},
		"sum": func(row []int64) (n int64) {
			for _, v := range row {
				n += v
			}
			return n
		},
		"hex":  func(c [3]uint8) string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) },
		"at":   func(i int) string { return e.className(i) },
		"date": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	}).Parse(reportText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, p)
	return out.Bytes(), err
}

// classLines is how many classes a chart has lines of, and classCharts how many charts
// there are at most: the last figures of all classes are in a table.
const classLines, classCharts = 6, 4

// charts are the curves of the training by step: of the loss, of the figures over all
// classes, of those of each class ("IoU NAME"), and of the learning rate.
func charts(events []Event, classes []string) []reportChart {
	var loss, rate line
	metrics := map[string]*line{}
	for _, e := range events {
		switch e.Kind {
		case "step":
			loss.points = append(loss.points, [2]float64{float64(e.Step), e.Loss})
			rate.points = append(rate.points, [2]float64{float64(e.Step), e.LR})
		case "evaluation":
			for name, v := range e.Metrics {
				if metrics[name] == nil {
					metrics[name] = &line{name: name}
				}
				metrics[name].points = append(metrics[name].points, [2]float64{float64(e.Step), v})
			}
		}
	}
	var shares, others []line // those of 0 to 1 share a chart
	byClass := map[string][]line{}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		l := *metrics[name]
		if figure, class, ok := strings.Cut(name, " "); ok && slices.Contains(classes, class) {
			byClass[figure] = append(byClass[figure], line{class, l.points})
		} else if slices.ContainsFunc(l.points, func(p [2]float64) bool { return p[1] < 0 || p[1] > 1 }) {
			others = append(others, l)
		} else {
			shares = append(shares, l)
		}
	}
	var out []reportChart
	add := func(en, ja string, c chart) {
		c.title = en
		if svg := c.SVG(); svg != "" {
			out = append(out, reportChart{en, ja, svg, c.Legend()})
		}
	}
	add("Training loss", "学習損失", chart{x: "step", lines: []line{loss}, fromZero: true})
	add("Metrics on the validation part", "検証データでの指標", chart{x: "step", lines: shares})
	for _, l := range others {
		add(l.name+", validation part", l.name+"（検証データ）", chart{x: "step", lines: []line{l}})
	}
	for _, figure := range slices.Sorted(maps.Keys(byClass)) {
		parts := slices.Collect(slices.Chunk(byClass[figure], classLines))
		parts = parts[:min(len(parts), classCharts)]
		for i, some := range parts {
			of := ""
			if len(parts) > 1 {
				of = fmt.Sprintf(" (%d/%d)", i+1, len(parts))
			}
			add(figure+" by class"+of, "クラス別の"+figure+of, chart{x: "step", lines: some})
		}
	}
	add("Learning rate", "学習率", chart{x: "step", lines: []line{rate}, fromZero: true})
	return out
}

// dashes tell lines apart where colours do not: on paper, and for colour-blind people.
func dashes() []template.CSS {
	return []template.CSS{"", "stroke-dasharray:8 3", "stroke-dasharray:2 3", "stroke-dasharray:9 3 2 3", "stroke-dasharray:5 2", "stroke-dasharray:1 2"}
}

// bilingual writes a text in both languages; the page shows one.
func bilingual(en, ja string) template.HTML {
	return template.HTML(`<span lang="en">` + template.HTMLEscapeString(en) + `</span><span lang="ja">` + template.HTMLEscapeString(ja) + `</span>`) //nolint:gosec // escaped
}

// figure writes a result with three digits; a dash where there is none.
func figure(v Number) string {
	if !finite(float64(v)) {
		return "–"
	}
	return strconv.FormatFloat(float64(v), 'f', 3, 64)
}

// share is part of whole in percent, for CSS and people.
func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole) * 100
}

// className is the name of row i of the confusion matrix.
func (e *Evaluation) className(i int) string {
	if i < len(e.Classes) {
		return e.Classes[i].Name
	}
	return strconv.Itoa(i)
}

// picture makes a data URL of a JPEG or PNG file, and nothing of anything else.
func picture(data []byte) template.URL {
	kind := http.DetectContentType(data)
	if kind != "image/jpeg" && kind != "image/png" {
		return ""
	}
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)) //nolint:gosec // base64
}

// bins draws the reliability diagram: the share that is right by confidence, beside the
// diagonal where the two are equal.
func bins(all []metric.CalibrationBin) template.HTML {
	const size, left = 240.0, 40.0
	var most int64
	for _, b := range all {
		most = max(most, b.Count)
	}
	if most == 0 {
		return ""
	}
	var s bytes.Buffer
	fmt.Fprintf(&s, `<svg viewBox="0 0 %g %g" role="img" aria-label="reliability">`, size+left+10, size+40)
	for _, v := range []float64{0, 0.25, 0.5, 0.75, 1} {
		fmt.Fprintf(&s, `<path class="grid" d="M%g %gH%g"/><text class="tick" x="%g" y="%g" text-anchor="end">%g</text><text class="tick" x="%g" y="%g" text-anchor="middle">%g</text>`,
			left, 8+size*(1-v), left+size, left-5, 12+size*(1-v), v, left+size*v, size+24, v)
	}
	w := size / float64(len(all))
	for i, b := range all {
		if b.Count > 0 {
			fmt.Fprintf(&s, `<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f" opacity="%.2f"><title>%d: %.3f / %.3f</title></rect>`,
				left+w*float64(i)+0.5, 8+size*(1-b.Accuracy), w-1, size*b.Accuracy, 0.35+0.65*float64(b.Count)/float64(most), b.Count, b.Confidence, b.Accuracy)
		}
	}
	fmt.Fprintf(&s, `<path class="ideal" d="M%g %gL%g %g"/><path class="axis" d="M%g 8V%gH%g"/><text class="tick" x="%g" y="%g" text-anchor="end">confidence</text></svg>`,
		left, 8+size, left+size, 8.0, left, 8+size, left+size, left+size, size+38)
	return template.HTML(s.String()) //nolint:gosec // numbers alone
}
