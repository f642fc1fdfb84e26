package coco

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
	"trilobite/metric"
)

const sample = `{
 "images": [{"id": 7, "file_name": "b.jpg", "width": 20, "height": 10}, {"id": 3, "file_name": "sub/a.jpg", "width": 4, "height": 5}],
 "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "bicycle"}],
 "annotations": [
  {"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 2, 3.5, 4], "area": 9.5, "iscrowd": 0, "segmentation": [[1, 2, 4.5, 2, 4, 6]]},
  {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 20, 10], "iscrowd": 1, "segmentation": {"counts": [150, 50], "size": [10, 20]}},
  {"id": 3, "image_id": 3, "category_id": 2, "segmentation": {"counts": "55:", "size": [5, 4]}}]}`

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
			{File: "images/sub/a.jpg", W: 4, H: 5, Objects: []dataset.Object{
				{Class: 0, Box: geom.Rect{X: 1, Y: 0, W: 1, H: 5}, Area: 5, RLE: &geom.RLE{W: 4, H: 5, Runs: []uint32{5, 5, 10}}},
			}},
			{File: "images/b.jpg", W: 20, H: 10, Objects: []dataset.Object{
				{Class: 1, Box: geom.Rect{X: 1, Y: 2, W: 3.5, H: 4}, Area: 9.5, Polygons: []geom.Polygon{{{X: 1, Y: 2}, {X: 4.5, Y: 2}, {X: 4, Y: 6}}}},
				{Class: 0, Box: geom.Rect{W: 20, H: 10}, Area: 200, Crowd: true, RLE: &geom.RLE{W: 20, H: 10, Runs: []uint32{150, 50}}},
			}},
		},
	}
	if diff := cmp.Diff(want, got, treetest.Unplaced()); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
	truth := []metric.Truth{
		{Image: 0, Class: 0, Box: geom.Rect{X: 1, Y: 0, W: 1, H: 5}, Area: 5},
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
		{"truncated", "]}", "", "line 7: unexpected EOF"},
		{"image twice", `"id": 3`, `"id": 7`, "line 2: image 7 comes twice"},
		{"category twice", `"id": 2, "name"`, `"id": 18, "name"`, "category 18 comes twice"},
		{"no object", sample, "[]", "line 1: [ where an object is expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(strings.NewReader(strings.Replace(sample, tt.old, tt.new, 1)), "x.json", "images")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestParseDrops spoils one thing at a time: the rest is read, and it is said which line
// was not.
func TestParseDrops(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, new  string
		images, objects int
		want            string
	}{
		{"path out of the folder", "sub/a.jpg", "../a.jpg", 1, 2, `x.json:2: image 3: file name "../a.jpg" leads out`},
		{"absolute path", "sub/a.jpg", "/etc/passwd", 1, 2, `x.json:2: image 3: file name "/etc/passwd" leads out`},
		{"negative size", `"width": 4`, `"width": -4`, 1, 2, "x.json:2: image 3 has -4×5 pixels"},
		{"unknown category", `"category_id": 18`, `"category_id": 19`, 2, 2, "x.json:5: annotation 1: there is no category 19"},
		{"unknown image", `"image_id": 7, "category_id": 18`, `"image_id": 8, "category_id": 18`, 2, 2, "x.json:5: annotation 1: there is no image 8"},
		{"an id in words", `"id": 1,`, `"id": "one",`, 2, 2, "x.json:5: json: cannot unmarshal string"},
		{"three numbers", "[1, 2, 3.5, 4]", "[1, 2, 3.5]", 2, 2, "x.json:5: annotation 1: bbox has 3 numbers"},
		{"negative width", "[1, 2, 3.5, 4]", "[1, 2, -3.5, 4]", 2, 2, "negative side"},
		{"no area", "[1, 2, 3.5, 4]", "[1, 2, 0, 4]", 2, 2, "x.json:5: the box from 1, 2 to 1, 6 has no area"},
		{"absurd corner", "[1, 2, 3.5, 4]", "[1e300, 2, 3.5, 4]", 2, 2, "not finite"},
		{"outside", "[1, 2, 3.5, 4]", "[30, 2, 3.5, 4]", 2, 2, "x.json:5: the box from 30, 2 to 33.5, 6 lies outside its picture of 20×10"},
		{"half a point", "[[1, 2, 4.5, 2, 4, 6]]", "[[1, 2, 3]]", 2, 3, "x.json:5: annotation 1: outline: a polygon of 3 numbers"},
		{"two points", "[[1, 2, 4.5, 2, 4, 6]]", "[[1, 2, 3, 4]]", 2, 3, "outline: a polygon of 2 points"},
		{"mask of another size", "[10, 20]", "[20, 10]", 2, 3, "x.json:6: annotation 2: outline: a mask of 10×20, the picture has 20×10"},
		{"runs too short", "[150, 50]", "[150, 5]", 2, 3, "outline: run lengths cover 155 pixels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse(strings.NewReader(strings.Replace(sample, tt.old, tt.new, 1)), "x.json", "images")
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0].String(), tt.want) {
				t.Errorf("dropped %v, want %q", s.Dropped, tt.want)
			}
			if n := len(s.Truth()); len(s.Images) != tt.images || n != tt.objects {
				t.Errorf("%d images and %d objects are left, want %d and %d", len(s.Images), n, tt.images, tt.objects)
			}
		})
	}
}

func TestParseClips(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, box string
		want      geom.Rect
		clipped   int
	}{
		{"over the edge", "[15, 5, 10, 10]", geom.Rect{X: 15, Y: 5, W: 5, H: 5}, 1},
		{"half a pixel is rounding", "[15, 5, 5.5, 5]", geom.Rect{X: 15, Y: 5, W: 5.5, H: 5}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse(strings.NewReader(strings.Replace(sample, "[1, 2, 3.5, 4]", tt.box, 1)), "x.json", "images")
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Images[1].Objects[0].Box; got != tt.want || len(s.Clipped) != tt.clipped || len(s.Dropped) != 0 {
				t.Errorf("box %v, clipped %v, dropped %v; want %v", got, s.Clipped, s.Dropped, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, data string) {
		s, err := Parse(strings.NewReader(data), "x.json", "images")
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
