package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite"
	"trilobite/compare"
	"trilobite/dataset"
	"trilobite/imageio"
)

// TestCompareRefusals: what cannot be compared is said before anything is asked.
func TestCompareRefusals(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	picture, err := imageio.New(8, 8).EncodePNG()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"set/a/1.png": picture, "set/b/2.png": picture, "bare/1.png": picture, "other/thesis.doc": []byte("important"), "file": nil,
		"coco/images/1.png": picture,
		"coco/set.json":     []byte(`{"images":[{"id":1,"file_name":"1.png","width":8,"height":8}],"annotations":[],"categories":[{"id":1,"name":"dog"}]}`),
		"map.yaml":          []byte("Plate: dish\n"), "prices.yaml": []byte("prices:\n  - {id: machine, unit: hour, tiers: [{price: 1}], date: 2026-01-01}\n"),
		"costs.yaml": []byte("volume: -5\n"), "needs.yaml": []byte("privacy: cloud\n"),
	}
	for name, data := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(root, name) }
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no ground truth", []string{in("coco/set.json")}, "has a label"},
		{"no data set", []string{in("none")}, "no such file"},
		{"a route that there is not", []string{in("set"), "--routes", "azure"}, `no route "azure"; there are custom, custom-labels, own`},
		{"no route at all", []string{in("set"), "--routes", ""}, "nothing to compare"},
		{"a model that is not installed", []string{in("set"), "--routes", "own=ghost"}, `No model "ghost"`},
		{"a Custom Labels model without its name", []string{in("set"), "--routes", "custom-labels"}, "custom-labels=arn:"},
		{"no Vertex endpoint", []string{in("set"), "--routes", "vertex=42"}, "names no Vertex endpoint"},
		{"a report that is a page", []string{in("set"), "-o", in("report.html")}, "the report is a folder"},
		{"a report that is a file", []string{in("set"), "-o", in("file")}, "is a file"},
		{"a folder of other things", []string{in("set"), "-o", in("other")}, "holds other things"},
		{"a mapping to no class", []string{in("set"), "--mapping", in("map.yaml")}, `"Plate" is mapped to "dish"`},
		{"a price without its source", []string{in("set"), "--prices", in("prices.yaml")}, `"machine": a price needs its source`},
		{"assumptions that cannot be", []string{in("set"), "--assumptions", in("costs.yaml")}, "volume is -5"},
		{"requirements that cannot be", []string{in("set"), "--requirements", in("needs.yaml")}, `privacy is "cloud"`},
		{"a curve that is none", []string{in("set"), "--curve", "10,200"}, `"200" is no percentage`},
		{"a score beyond 1", []string{in("set"), "--min-score", "50"}, "they are 0 to 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := newRootCmd()
			args := append([]string{"compare", "-o", filepath.Join(t.TempDir(), "report")}, here(t, t.TempDir())...)
			cmd.SetArgs(append(args, tt.args...))
			var out bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(errorText(err), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestCompareCustom: from red and blue pictures to a report, by a model that is trained on
// the spot; the second run trains and asks nothing.
func TestCompareCustom(t *testing.T) {
	t.Parallel()
	root, home := t.TempDir(), t.TempDir()
	for class, c := range map[string]color.RGBA{"red": {200, 20, 20, 255}, "blue": {20, 20, 200, 255}} {
		for part, n := range map[string]int{"train": 6, "test": 2} {
			for i := range n {
				img := imageio.New(64, 64)
				for p := 0; p+2 < len(img.Pix); p += 3 {
					img.Pix[p], img.Pix[p+1], img.Pix[p+2] = c.R+uint8(5*i), c.G, c.B
				}
				data, err := img.EncodePNG()
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(root, part, class, string(rune('a'+i))+".png")
				if err := compare.WriteFile(path, data); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	out := filepath.Join(t.TempDir(), "report")
	text := runIn(t, home, "compare", root, "-o", out, "--routes", "own", "--curve", "none", "--bootstrap", "20", "--require", "privacy=local")
	if !strings.Contains(text, "4 images") || !strings.Contains(text, "1. own") {
		t.Errorf("it said:\n%s", text)
	}
	var r compare.Result
	data, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	own := r.Routes[0]
	if own.Main().Value != 1 || own.TrainImages != 12 || own.Calls != 4 || own.Sent != 0 || !own.Main().Exact {
		t.Errorf("%+v", own)
	}
	before, err := os.Stat(filepath.Join(out, "routes", "own", "trained.json"))
	if err != nil {
		t.Fatal(err)
	}
	runIn(t, home, "compare", root, "-o", out, "--routes", "own", "--curve", "none", "--bootstrap", "20")
	if after, err := os.Stat(filepath.Join(out, "routes", "own", "trained.json")); err != nil || after.ModTime() != before.ModTime() {
		t.Errorf("the second run trained anew: %v", err)
	}
}

// TestStopped: a run that ends early says what is kept, and how it goes on.
func TestStopped(t *testing.T) {
	t.Parallel()
	live := t.Context()
	ended, end := context.WithCancel(live)
	end()
	for name, tt := range map[string]struct {
		ctx  context.Context
		err  error
		want string
	}{
		"Ctrl-C":               {ended, context.Canceled, "Stopped. What was answered and learned is kept in report: the same command goes on."},
		"a line that is dead":  {live, errors.New("no route to host"), "no route to host\nWhat was answered and learned is kept"},
		"a service that is up": {live, &trilobite.Error{Code: trilobite.Forbidden, Msg: "Not you."}, "Not you. What was answered and learned is kept"},
		"the cap":              {live, &trilobite.Error{Code: trilobite.LimitExceeded, Msg: "Spend more."}, "Spend more."},
	} {
		if got := errorText(stopped(tt.ctx, "report", tt.err)); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestDivideForTest(t *testing.T) {
	t.Parallel()
	set := func(splits ...string) *dataset.Set {
		s := &dataset.Set{}
		for _, split := range splits {
			s.Images = append(s.Images, dataset.Image{Split: split})
		}
		return s
	}
	for name, tt := range map[string]struct {
		set         *dataset.Set
		learns      bool
		train, test int
		part        string
	}{
		"the test part, whatever else there is":           {set("train", "val", "test"), true, 2, 1, "test part"},
		"the validation part where there is no test part": {set("train", "train", "val"), true, 2, 1, "validation part"},
		"a fifth where there are no parts":                {set("", "", "", "", "", "", "", "", "", ""), true, 8, 2, "held-out fifth"},
		"all where nothing learns":                        {set("", "", ""), false, 0, 3, "all"},
	} {
		got, part := divideForTest(tt.set, tt.learns, 1)
		if a, b := len(got.Part(dataset.Train)), len(got.Part(dataset.Test)); a != tt.train || b != tt.test || part != tt.part {
			t.Errorf("%s: %d and %d, %s", name, a, b, part)
		}
	}
}
