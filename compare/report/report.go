// Package report shows a comparison to people: one HTML page that needs nothing else, in
// English and Japanese, the figure alone as SVG and PNG, Markdown, and JSON for programs.
//
// Start at Report.Write. figure.go draws the three columns on a canvas (canvas.go) that
// is both SVG and PNG; capabilities.go fills in the table of what each service can do,
// each cell measured or cited; page.go and page.gohtml make the page.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"trilobite/compare"
	"trilobite/compare/advise"
	"trilobite/compare/cost"
	"trilobite/font"
)

// Report is everything that is told of a comparison.
type Report struct {
	Result *compare.Result
	Costs  cost.Costs
	Table  []Capability
	Needs  advise.Requirements // what the advice answers
	Advice []advise.Advice     // none: nobody asked
	fonts  Fonts
}

// New gathers a report.
func New(r *compare.Result, c cost.Costs, fonts Fonts) (*Report, error) {
	table, err := capabilities(r, c)
	if err != nil {
		return nil, err
	}
	return &Report{Result: r, Costs: c, Table: table, fonts: fonts}, nil
}

// Advise adds a recommendation for a team's requirements.
func (r *Report) Advise(q advise.Requirements) {
	r.Needs, r.Advice = q, advise.Rank(r.Result, r.Costs, q)
}

// ReadFonts reads the fonts of the pinned package from the folder of packages. Where they
// are not there, Go's own fonts stand in, which draw no Japanese, and it reports false.
func ReadFonts(packages string) (Fonts, bool, error) {
	var out Fonts
	whole := true
	for _, w := range []struct {
		file string
		plan []byte
		to   **font.Font
	}{{"400", goregular.TTF, &out.Regular}, {"700", gobold.TTF, &out.Bold}} {
		data, err := os.ReadFile(filepath.Join(packages, "noto-sans-jp", "noto-sans-jp-japanese-"+w.file+"-normal.woff"))
		if os.IsNotExist(err) {
			data, whole = w.plan, false
		} else if err != nil {
			return out, false, err
		}
		if *w.to, err = font.Read(data); err != nil {
			return out, false, err
		}
	}
	return out, whole, nil
}

// document is report.json.
type document struct {
	*compare.Result

	Costs        cost.Costs   `json:"costs"`
	Columns      []string     `json:"capability_columns"`
	Capabilities []Capability `json:"capabilities"`

	Needs  advise.Requirements `json:"requirements,omitzero"`
	Advice []advise.Advice     `json:"advice,omitempty"`
}

// JSON returns the report for programs.
func (r *Report) JSON() ([]byte, error) {
	d := document{Result: r.Result, Costs: r.Costs, Capabilities: r.Table, Needs: r.Needs, Advice: r.Advice}
	for _, t := range r.Costs.Routes {
		d.Columns = append(d.Columns, t.Name)
	}
	data, err := json.MarshalIndent(d, "", " ")
	return append(data, '\n'), err
}

// pngScale makes the PNG sharp in print: 2480 pixels are 21 cm at 300 to the inch.
const pngScale = 2

// Write writes all files of the report into a folder and returns the page's path.
func (r *Report) Write(dir string) (string, error) {
	files := map[string]func() ([]byte, error){
		"report.json": r.JSON,
		"report.html": r.page,
		"report.md":   func() ([]byte, error) { return []byte(r.Markdown()), nil },
	}
	for _, l := range Langs() {
		name := "figure"
		if l != English {
			name += "." + string(l)
		}
		files[name+".svg"] = func() ([]byte, error) { return drawn(func(b *bytes.Buffer) error { return r.figure(l).writeSVG(b) }) }
		files[name+".png"] = func() ([]byte, error) {
			return drawn(func(b *bytes.Buffer) error { return r.figure(l).writePNG(b, pngScale) })
		}
	}
	for name, write := range files {
		data, err := write()
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if err := compare.WriteFile(filepath.Join(dir, name), data); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "report.html"), nil
}

func drawn(draw func(*bytes.Buffer) error) ([]byte, error) {
	var b bytes.Buffer
	err := draw(&b)
	return b.Bytes(), err
}

// base is the last part of a path, for titles.
func base(path string) string { return filepath.Base(strings.TrimRight(path, "/")) }

// title is a route's name for people.
func title(m compare.Measured) string {
	if m.Local() {
		return m.Name
	}
	return serviceName(m.Service)
}

// partName says what the images asked about are.
func partName(part string) Text {
	ja := map[string]string{"test part": "テスト部分", "validation part": "検証部分", "held-out fifth": "取り分けた5分の1", "all": "全体"}
	if t, ok := ja[part]; ok {
		return Text{part, t}
	}
	return Text{part, part}
}

// missing says why a kind has no figures.
func (r *Report) missing(k compare.Kind) Text {
	for _, m := range r.Result.Routes {
		if m.Kind == k && m.Missing != "" {
			return reason(m.Missing)
		}
	}
	return Text{"Not part of this comparison.", "今回の比較には含まれていません。"}
}
