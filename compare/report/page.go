package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"

	"trilobite/compare"
	"trilobite/compare/advise"
	"trilobite/compare/cost"
)

//go:embed page.gohtml
var pageText string

// mostRows is how many lines a list of images has; report.json has all.
const mostRows = 60

// page renders the report as one HTML file. Whatever comes from outside, names of files,
// classes and labels above all, goes through html/template.
func (r *Report) page() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"t":        both,
		"text":     func(x Text) template.HTML { return both(x.EN, x.JA) },
		"number":   number,
		"percent":  func(v compare.Number) string { return fmt.Sprintf("%.0f", 100*share(v)) },
		"usd":      cost.Dollars,
		"count":    func(v any) string { return cost.Thousands(asFloat(v)) },
		"bytes":    bytesOf,
		"p":        pValue,
		"signed":   signed,
		"pct":      func(v float64) float64 { return 100 * v },
		"seconds":  func(s float64) template.HTML { return both(duration(s, English), duration(s, Japanese)) },
		"sum":      func(s cost.Sum) template.HTML { return both(sum(s, English), sum(s, Japanese)) },
		"what":     func(w cost.What) template.HTML { return both(whatName(w).EN, whatName(w).JA) },
		"whats":    func(w []cost.What) template.HTML { return both(whatNames(w, English), whatNames(w, Japanese)) },
		"figure":   func(name string) template.HTML { return both(figureName(name).EN, figureName(name).JA) },
		"service":  serviceName,
		"kind":     func(k compare.Kind) template.HTML { return both(kindTitle(k).EN, kindTitle(k).JA) },
		"reason":   func(why string) template.HTML { return both(reason(why).EN, reason(why).JA) },
		"assumed":  func(key string) template.HTML { return both(assumptionName(key).EN, assumptionName(key).JA) },
		"unit":     func(u string) template.HTML { return both(unitName(u).EN, unitName(u).JA) },
		"state":    func(s string) template.HTML { return both(stateName(s).EN, stateName(s).JA) },
		"part":     func(p string) template.HTML { return both(partName(p).EN, partName(p).JA) },
		"base":     base,
		"noneFits": advise.NoneFits,
		"add":      func(a, b int) int { return a + b },
		"needs":    r.needs,
		"mark": func(e advise.Effect) Mark {
			return map[advise.Effect]Mark{advise.For: Yes, advise.Against: Partly, advise.Open: Partly, advise.Out: No}[e]
		},
		"some":    func(n []string) []string { return n[:min(len(n), mostRows)] },
		"more":    func(n []string) int { return max(0, len(n)-mostRows) },
		"sources": r.sources,
		"perUnit": perUnit, "learned": r.learnedBy, "measured": r.measuredOn,
		"drawn": func(l string) template.HTML { return template.HTML(r.figure(Lang(l)).inline()) },    //nolint:gosec // the texts in it are escaped
		"chart": func(l string) template.HTML { return template.HTML(r.costChart(Lang(l)).inline()) }, //nolint:gosec // the texts in it are escaped
	}).Parse(pageText)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := t.Execute(&body, r); err != nil {
		return nil, err
	}
	fonts, err := r.embedded(body.String())
	if err != nil {
		return nil, err
	}
	return bytes.Replace(body.Bytes(), []byte(".fonts-go-here{}"), []byte(fonts), 1), nil
}

// embedded returns both weights with the page's characters, as CSS.
func (r *Report) embedded(text string) (string, error) {
	var b strings.Builder
	for weight, f := range map[string]interface {
		Subset(text string) ([]byte, error)
	}{"400": r.fonts.Regular, "700": r.fonts.Bold} {
		data, err := f.Subset(text)
		if err != nil {
			return "", fmt.Errorf("embedding a font: %w", err)
		}
		fmt.Fprintf(&b, `@font-face{font-family:Report;font-weight:%s;src:url(data:font/woff;base64,%s) format("woff")}`, weight, base64.StdEncoding.EncodeToString(data))
	}
	return b.String(), nil
}

// needs lists what was required, as it would be asked for.
func (r *Report) needs() []string {
	var fields map[string]json.RawMessage
	data, err := json.Marshal(r.Needs)
	if err != nil || json.Unmarshal(data, &fields) != nil {
		return nil
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, k+": "+strings.NewReplacer(`"`, "", ",", ", ").Replace(string(fields[k])))
	}
	return out
}

func asFloat(v any) float64 {
	switch n := v.(type) {
	case int:
		return float64(n)
	case int64:
		return float64(n)
	case float64:
		return n
	default:
		return math.NaN()
	}
}

// sources numbers what the table of capabilities rests on.
func (r *Report) sources() []string {
	var out []string
	for _, row := range r.Table {
		for _, c := range row.Cells {
			if !slices.Contains(out, c.Source) {
				out = append(out, c.Source)
			}
		}
	}
	return out
}

// SourceNumber is the place of a cell's source in the list, from 1.
func (r *Report) SourceNumber(c Cell) int { return slices.Index(r.sources(), c.Source) + 1 }

// UnitOf says up to which unit of a month a tier reaches.
func (r *Report) UnitOf(upTo float64) string {
	if upTo == 0 {
		return "…"
	}
	return cost.Thousands(upTo)
}
