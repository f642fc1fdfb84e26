package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite/compare"
	"trilobite/compare/advise"
	"trilobite/compare/cost"
	"trilobite/metric"
	"trilobite/price"
)

// packages is where `make deps` puts the fonts.
const packages = "../../.deps"

// hostile is a class name that must not get out of its place.
const hostile = `</svg><script>alert("x")</script>|` + "`寿司`"

func sample(t *testing.T, task compare.Task) *Report {
	t.Helper()
	figure := func(v float64) []compare.Figure {
		return []compare.Figure{{Name: "accuracy", Value: compare.Number(v), Interval: &metric.Interval{Low: v / 2, High: v}}}
	}
	classes := []compare.Class{{Name: "pizza", Samples: 13, Precision: 1, Recall: 0.9, Main: 0.95, Known: true}, {Name: hostile, Samples: 16, Main: compare.Number(math.NaN())}}
	r := &compare.Result{
		Version: "test", Ended: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Task: task, Rounds: 10,
		Dataset: compare.Data{Path: "/data/" + hostile, Classes: []string{"pizza", hostile}, Train: 113, Test: 39, Part: "test part"},
		Routes: []compare.Measured{
			{Name: "pretrained", Kind: compare.Pretrained, Service: "trilobite", Source: "coco-ssd@1", Figures: figure(0.3), Known: figure(0.9), Classes: classes,
				Unmatched: []string{hostile}, Strangers: []compare.Count{{Label: hostile, Said: 3}}, Throughput: 10, Latency: compare.Latency{P50: 0.1, P95: 0.2, N: 39}},
			{Name: "rekognition", Kind: compare.Pretrained, Service: "rekognition", Host: "rekognition.eu-central-1.amazonaws.com", Region: "eu-central-1", Feature: "rekognition/detect-labels",
				Figures: figure(1), Classes: classes, Sent: 12345, Calls: 39, Throughput: 3, Failures: []string{hostile}},
			{Name: "custom", Kind: compare.Custom, Service: "trilobite-custom", Figures: figure(0.95), Classes: classes, TrainImages: 113, Recipe: "by trying", RecipeJA: "試行", Training: 10, Throughput: 30,
				Curve: []compare.Point{{Share: 0.1, Images: 12, Main: figure(0.6)[0]}, {Share: 1, Images: 113, Main: figure(0.95)[0]}}},
			{Name: "own", Kind: compare.Own, Service: "trilobite-own", Missing: "There are no images to train on: the data set has no training part."},
		},
		Tests: []compare.Test{{A: "pretrained", B: "custom", Figure: "accuracy", Difference: -0.6, P: 1e-9, Method: "McNemar"}},
	}
	book, err := price.Load("")
	if err != nil {
		t.Fatal(err)
	}
	fonts, whole, err := ReadFonts(packages)
	if err != nil || !whole {
		t.Fatalf("fonts: %v (run `make deps`)", err)
	}
	rep, err := New(r, cost.Of(r, book, cost.Defaults()), fonts)
	if err != nil {
		t.Fatal(err)
	}
	rep.Advise(advise.Requirements{Privacy: "local", Labels: []string{hostile}})
	return rep
}

func TestWrite(t *testing.T) {
	t.Parallel()
	r := sample(t, compare.Classify)
	dir := t.TempDir()
	path, err := r.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(page, []byte("<script")) || bytes.Contains(page, []byte("ZgotmplZ")) {
		t.Error("a class's name became a part of the page")
	}
	if outside := regexp.MustCompile(`(?:src|href)="?(?:https?:)?//[^"]*|url\((?:"|')?(?:https?:)?//`).Find(page); outside != nil {
		t.Errorf("the page asks for %q", outside)
	}
	for _, want := range []string{"@font-face", "font/woff;base64,", `lang="ja"`, "0.950", "prefers-color-scheme:dark", "@media print", "&lt; 0.0001", "学習用の画像がありません", "Images go to the vendor, and privacy is local.", "What pretrained models were trained on, this run cannot tell."} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, name := range []string{"figure.png", "figure.ja.png"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil || img.Width != 2*figureWidth || img.Height < 1500 {
			t.Errorf("%s: %dx%d, %v", name, img.Width, img.Height, err)
		}
	}
	for _, name := range []string{"figure.svg", "figure.ja.svg"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(data)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if s, ok := token.(xml.StartElement); ok && (s.Name.Local == "text" || s.Name.Local == "script") {
				t.Errorf("%s has <%s>: it would need a font, or worse", name, s.Name.Local)
			}
		}
	}
	var back struct {
		Routes []compare.Measured `json:"routes"`
		Costs  cost.Costs         `json:"costs"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &back); err != nil || len(back.Routes) != 4 || len(back.Costs.Routes) != 6 {
		t.Errorf("report.json: %v, %d routes, %d costs", err, len(back.Routes), len(back.Costs.Routes))
	}
	if md := r.Markdown(); strings.Contains(md, "<script") || !strings.Contains(md, "| pretrained | accuracy | 0.300 |") ||
		!strings.Contains(md, "classes without a label: &lt;/svg>") || !strings.Contains(md, "| 12 | 10 | 0.600 | 0.300 – 0.600 |") {
		t.Error("report.md:\n" + md)
	}
}

// TestFontHasEverything: no text of ours has a character that the font lacks.
func TestFontHasEverything(t *testing.T) {
	t.Parallel()
	for _, task := range []compare.Task{compare.Classify, compare.Segment} {
		r := sample(t, task)
		page, err := r.page()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[rune]bool{}
		text := regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`).ReplaceAllString(string(page), "")
		for _, c := range text {
			if c > ' ' && c != '✓' && c != '✗' && c != '△' && !r.fonts.Regular.Has(c) && !seen[c] {
				seen[c] = true
				t.Errorf("the font has no %q", c)
			}
		}
	}
}

func TestWithoutFonts(t *testing.T) {
	t.Parallel()
	fonts, whole, err := ReadFonts(t.TempDir())
	if err != nil || whole {
		t.Fatalf("whole %v, %v", whole, err)
	}
	r := sample(t, compare.Classify)
	r.fonts = fonts
	if _, err := r.Write(t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestWrapped(t *testing.T) {
	t.Parallel()
	c := &canvas{fonts: sample(t, compare.Classify).fonts}
	for text, want := range map[string][]string{
		"one two three": {"one two", "three"},
		"学習済みのモデルを使う。":  {"学習済みの", "モデルを使", "う。"},
		"":              {""},
	} {
		got := c.wrapped(10, 56, false, text)
		if strings.Join(got, "/") != strings.Join(want, "/") {
			t.Errorf("wrapped(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestSVGSizes: text is as large as it was laid out for, to the last digit of a font's size.
func TestSVGSizes(t *testing.T) {
	t.Parallel()
	c := &canvas{w: 100, h: 100, fonts: sample(t, compare.Classify).fonts}
	want := map[string]bool{}
	for _, size := range []float64{tiny, small, body, 25, 27.5, 50} {
		c.text(0, 50, size, 0, false, "fg", "a")
		want[strconv.FormatFloat(size/glyphSize, 'g', -1, 64)] = true
	}
	var b bytes.Buffer
	if err := c.writeSVG(&b); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, m := range regexp.MustCompile(`scale\(([^)]*)\)`).FindAllStringSubmatch(b.String(), -1) {
		got[m[1]] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scales of glyphs of %v (-want +got):\n%s", glyphSize, diff)
	}
}

func TestStrokes(t *testing.T) {
	t.Parallel()
	level := [][2]float64{{0, 1}, {1, 1}, {2, 1}, {3, 0}, {4, 0}, {5, 0}}
	for _, tt := range []struct {
		whole bool
		want  [][2][2]float64
	}{
		{true, [][2][2]float64{{{0, 1}, {2, 1}}, {{2, 1}, {3, 0}}, {{3, 0}, {5, 0}}}},
		{false, [][2][2]float64{{{0, 1}, {1, 1}}, {{1, 1}, {2, 1}}, {{2, 1}, {3, 0}}, {{4, 0}, {5, 0}}}},
	} {
		if diff := cmp.Diff(tt.want, strokes(level, tt.whole)); diff != "" {
			t.Errorf("whole %v (-want +got):\n%s", tt.whole, diff)
		}
	}
}
