package yolo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/geom"
)

// files writes a tree below a temporary folder and returns it.
func files(t *testing.T, tree map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range tree {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func layout(dir string) Layout {
	return Layout{filepath.Join(dir, "images"), filepath.Join(dir, "labels"), filepath.Join(dir, "data.yaml")}
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"images/b.JPG":   "",
		"images/a.png":   "",
		"images/note.md": "",
		"labels/b.txt":   "1 0.5 0.5 0.5 0.25\r\n\n0 0.1 0.2 0.2 0.4",
		"data.yaml":      "path: .\nnames:\n  0: person # someone\n  1: dog\n",
	})
	size := func(path string) (int, int, error) {
		if filepath.Base(path) != "b.JPG" {
			t.Errorf("size of %s asked for", path)
		}
		return 200, 100, nil
	}
	got, err := Read(layout(dir), size)
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{
		Ignore:  dataset.NoIgnore,
		Classes: []string{"person", "dog"},
		Images: []dataset.Image{
			{File: filepath.Join(dir, "images/a.png")},
			{File: filepath.Join(dir, "images/b.JPG"), W: 200, H: 100, Objects: []dataset.Object{
				{Class: 1, Box: geom.Rect{X: 50, Y: 37.5, W: 100, H: 25}, Area: 2500},
				{Class: 0, Box: geom.Rect{X: 0, Y: 0, W: 40, H: 40}, Area: 1600},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, label, want string }{
		{"a polygon", "0 0.1 0.1 0.2 0.2 0.3 0.3", "line 1: 7 fields"},
		{"unknown class", "\n2 0.5 0.5 0.5 0.5", "line 2: class 2, there are 2"},
		{"negative class", "-1 0.5 0.5 0.5 0.5", "class -1"},
		{"class in words", "dog 0.5 0.5 0.5 0.5", `class "dog"`},
		{"pixels", "0 320 240 50 50", "320 is no fraction"},
		{"NaN", "0 NaN 0.5 0.5 0.5", "NaN is no fraction"},
		{"no number", "0 0.5 x 0.5 0.5", `"x" is no number`},
		{"picture cannot be read", "0 0.5 0.5 0.5 0.5", "size of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"images/a.png": "", "labels/a.txt": tt.label, "data.yaml": "names: [person, dog]"})
			_, err := Read(layout(dir), func(string) (int, int, error) { return 0, 0, errors.New("broken") })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestParseClasses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, yaml string
		want       []string
		err        string
	}{
		{"list", "names: [a, b]", []string{"a", "b"}, ""},
		{"map", "names: {1: b, 0: a}", []string{"a", "b"}, ""},
		{"map with a gap", "names: {2: c, 0: a}", []string{"a", "", "c"}, ""},
		{"none", "path: .", nil, "no names"},
		{"empty file", "", nil, "no names"},
		{"number far out", "names: {4000000000: a}", nil, "out of range"},
		{"negative number", "names: {-1: a}", nil, "out of range"},
		{"a string", "names: dog", nil, "neither"},
		{"broken", "names: [", nil, "neither"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseClasses([]byte(tt.yaml))
			if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %q, error %v; want %q, %q", got, err, tt.want, tt.err)
			}
		})
	}
}

func FuzzParseLabels(f *testing.F) {
	f.Add("1 0.5 0.5 0.5 0.25\n0 1e-3 0 0 1")
	f.Fuzz(func(t *testing.T, text string) {
		objects, err := ParseLabels(strings.NewReader(text), 2)
		if err != nil {
			return
		}
		for _, o := range objects {
			if dataset.CheckRect(o.Box) != nil || o.Class > 1 {
				t.Errorf("accepted %v", o)
			}
		}
	})
}

func FuzzParseClasses(f *testing.F) {
	f.Add([]byte("path: .\nnames:\n  0: person\n  1: dog\n"))
	f.Add([]byte("names: [a, b]"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = ParseClasses(data) })
}
