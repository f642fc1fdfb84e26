package coco

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/metric"
)

const sample = `{
 "images": [{"id": 7, "file_name": "b.jpg", "width": 20, "height": 10}, {"id": 3, "file_name": "sub/a.jpg", "width": 4, "height": 5}],
 "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "bicycle"}],
 "annotations": [
  {"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 2, 3.5, 4], "area": 9.5, "iscrowd": 0, "segmentation": [[1, 2, 3]]},
  {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 20, 10], "iscrowd": 1, "segmentation": {"counts": [1], "size": [1, 1]}}]}`

func TestRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instances.json")
	if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path, "images")
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{
		Ignore:  dataset.NoIgnore,
		Classes: []string{"bicycle", "dog"},
		Images: []dataset.Image{
			{File: "images/sub/a.jpg", W: 4, H: 5},
			{File: "images/b.jpg", W: 20, H: 10, Objects: []dataset.Object{
				{Class: 1, Box: geom.Rect{X: 1, Y: 2, W: 3.5, H: 4}, Area: 9.5},
				{Class: 0, Box: geom.Rect{W: 20, H: 10}, Area: 200, Crowd: true},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
	truth := []metric.Truth{
		{Image: 1, Class: 1, Box: geom.Rect{X: 1, Y: 2, W: 3.5, H: 4}, Area: 9.5},
		{Image: 1, Class: 0, Box: geom.Rect{W: 20, H: 10}, Area: 200, Crowd: true},
	}
	if diff := cmp.Diff(truth, got.Truth()); diff != "" {
		t.Errorf("Truth (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, new, want string }{
		{"truncated", "]}", "", "EOF"},
		{"path out of the folder", "sub/a.jpg", "../a.jpg", `"../a.jpg"`},
		{"absolute path", "sub/a.jpg", "/etc/passwd", `"/etc/passwd"`},
		{"unknown category", `"category_id": 18`, `"category_id": 19`, "annotation 1: there is no category 19"},
		{"unknown image", `"image_id": 7, "category_id": 18`, `"image_id": 8, "category_id": 18`, "annotation 1: there is no image 8"},
		{"image twice", `"id": 3`, `"id": 7`, "image 7 comes twice"},
		{"category twice", `"id": 2, "name"`, `"id": 18, "name"`, "category 18 comes twice"},
		{"three numbers", "[1, 2, 3.5, 4]", "[1, 2, 3.5]", "bbox has 3 numbers"},
		{"negative width", "[1, 2, 3.5, 4]", "[1, 2, -3.5, 4]", "negative side"},
		{"absurd corner", "[1, 2, 3.5, 4]", "[1e300, 2, 3.5, 4]", "not finite"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(strings.NewReader(strings.Replace(sample, tt.old, tt.new, 1)), "images")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, data string) {
		s, err := Parse(strings.NewReader(data), "images")
		if err != nil {
			return
		}
		for _, o := range s.Truth() {
			if o.Class >= len(s.Classes) {
				t.Errorf("class %d of %d", o.Class, len(s.Classes))
			}
		}
	})
}
