package yolo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

func read(dir string, size SizeFunc) (*dataset.Set, error) {
	part := Part{dataset.Val, filepath.Join(dir, "images"), filepath.Join(dir, "labels")}
	return Read(filepath.Join(dir, "data.yaml"), []Part{part}, size)
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{
		"images/b.JPG":   "",
		"images/a.png":   "",
		"images/note.md": "",
		"labels/b.txt":   "1 0.5 0.5 0.5 0.25\r\n\n0 0.1 0.2 0.2 0.4\n1 0 0 0.5 0 0.5 0.5",
		"data.yaml":      "path: .\nnames:\n  0: person # someone\n  1: dog\n",
	})
	size := func(path string) (int, int, error) {
		if filepath.Base(path) != "b.JPG" {
			t.Errorf("size of %s asked for", path)
		}
		return 200, 100, nil
	}
	got, err := read(dir, size)
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{
		Ignore:  dataset.NoIgnore,
		Classes: []string{"person", "dog"},
		Images: []dataset.Image{
			{File: filepath.Join(dir, "images/a.png"), Split: "val"},
			{File: filepath.Join(dir, "images/b.JPG"), Split: "val", W: 200, H: 100, Objects: []dataset.Object{
				{Class: 1, Box: geom.Rect{X: 50, Y: 37.5, W: 100, H: 25}, Area: 2500},
				{Class: 0, Box: geom.Rect{X: 0, Y: 0, W: 40, H: 40}, Area: 1600},
				{Class: 1, Box: geom.Rect{W: 100, H: 50}, Area: 2500, Polygons: []geom.Polygon{{{X: 0, Y: 0}, {X: 100, Y: 0}, {X: 100, Y: 50}}}},
			}},
		},
	}
	if diff := cmp.Diff(want, got, treetest.Unplaced()); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadDrops(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, label, want string }{
		{"half a point", "0 0.1 0.1 0.2 0.2 0.3", "a.txt:1: 6 fields"},
		{"two points", "0 0.1 0.1 0.2", "a.txt:1: 4 fields"},
		{"unknown class", "\n2 0.5 0.5 0.5 0.5", "a.txt:2: class 2, there are 2"},
		{"negative class", "-1 0.5 0.5 0.5 0.5", "class -1"},
		{"class in words", "dog 0.5 0.5 0.5 0.5", `class "dog"`},
		{"pixels", "0 320 240 50 50", "320 is no fraction"},
		{"NaN", "0 NaN 0.5 0.5 0.5", "NaN is no fraction"},
		{"no number", "0 0.5 x 0.5 0.5", `"x" is no number`},
		{"no area", "0 0.5 0.5 0 0.5", "a.txt:1: the box from 50, 25 to 50, 75 has no area"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := treetest.New(t, map[string]string{"images/a.png": "", "labels/a.txt": tt.label + "\n1 0.5 0.5 0.5 0.5", "data.yaml": "names: [person, dog]"})
			s, err := read(dir, func(string) (int, int, error) { return 100, 100, nil })
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0].String(), tt.want) || len(s.Truth()) != 1 {
				t.Errorf("dropped %v, want %q; %d objects are left, want 1", s.Dropped, tt.want, len(s.Truth()))
			}
		})
	}
}

func TestReadDropsAPictureWithoutSize(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{"images/a.png": "", "labels/a.txt": "0 0.5 0.5 0.5 0.5", "images/b.png": "", "data.yaml": "names: [person]"})
	s, err := read(dir, func(string) (int, int, error) { return 0, 0, errors.New("broken") })
	if err != nil || len(s.Images) != 1 || len(s.Dropped) != 1 || !strings.HasSuffix(s.Dropped[0].String(), "a.png: its size cannot be read: broken") {
		t.Errorf("got %+v, error %v", s, err)
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
	f.Add("1 0.5 0.5 0.5 0.25\n0 1e-3 0 0 1\n0 0 0 1 0 1 1")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := parseLabels(strings.NewReader(text), "a.txt", &dataset.Set{Classes: []string{"a", "b"}})
		if err != nil {
			return
		}
		for _, l := range lines {
			if o := l.object(640, 480); dataset.CheckRect(o.Box) != nil || o.Class > 1 || len(o.Polygons) > 1 {
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

// TestWriteNoPath: data.yaml names no path, which Ultralytics would take from the folder of
// its data sets or the one it is run in; without it, the file's own folder counts.
func TestWriteNoPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Write(&dataset.Folder{Dir: dir}, &dataset.Set{Classes: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "data.yaml"))
	if want := "train: images/train\nval: images/train\nnames:\n    0: a\n"; err != nil || string(data) != want {
		t.Errorf("data.yaml is %q, %v; want %q", data, err, want)
	}
}
