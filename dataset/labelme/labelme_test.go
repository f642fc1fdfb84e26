package labelme

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

func text(picture string, shapes ...string) string {
	return `{"version": "5.4.1", "flags": {}, "shapes": [` + strings.Join(shapes, ",") + `], "imagePath": "` + picture + `", "imageData": null, "imageHeight": 10, "imageWidth": 20}`
}

const (
	triangle = `{"label": "b", "points": [[1, 1], [5, 1], [5, 4]], "group_id": null, "shape_type": "polygon", "flags": {}}`
	rect     = `{"label": "a", "points": [[6, 8], [2, 3]], "shape_type": "rectangle"}`
	circle   = `{"label": "a", "points": [[10, 5], [12, 5]], "shape_type": "circle"}`
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{
		"train/json/x.json": text(`..\\pictures\\x.jpg`, triangle, rect), "train/pictures/x.jpg": "",
		"val/y.json": text("elsewhere/y.png"), "val/y.png": "", "val/.hidden.json": "{}",
	})
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{
		Ignore:  dataset.NoIgnore,
		Classes: []string{"a", "b"},
		Images: []dataset.Image{
			{File: dir + "/train/pictures/x.jpg", Split: "train", W: 20, H: 10, Objects: []dataset.Object{
				{Class: 1, Box: geom.Rect{X: 1, Y: 1, W: 4, H: 3}, Area: 6, Polygons: []geom.Polygon{{{X: 1, Y: 1}, {X: 5, Y: 1}, {X: 5, Y: 4}}}},
				{Class: 0, Box: geom.Rect{X: 2, Y: 3, W: 4, H: 5}, Area: 20},
			}},
			{File: dir + "/val/y.png", Split: "val", W: 20, H: 10},
		},
	}
	if diff := cmp.Diff(want, got, treetest.Unplaced()); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadDrops(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, json string
		whole      bool // the picture, not a shape
		want       string
	}{
		{"another JSON", `{"a": 1}`, true, "x.json: no annotation of labelme"},
		{"cut short", `{"shapes": [`, true, "x.json: no annotation of labelme"},
		{"a picture outside", text("../../etc/x.png"), true, `x.json: there is no picture "../../etc/x.png"`},
		{"no picture by its name", text("x.json"), true, `there is no picture "x.json"`},
		{"points of another form", text("x.jpg", `{"label": "a", "points": 5}`), true, "cannot unmarshal number"},
		{"a line", text("x.jpg", `{"label": "a", "points": [[1, 2], [3, 4]], "shape_type": "line"}`), false, `x.json: shape 0: a "line" encloses nothing`},
		{"no label", text("x.jpg", `{"points": [[1, 2], [3, 4], [5, 5]]}`), false, "shape 0: no label"},
		{"a rectangle of a point", text("x.jpg", `{"label": "a", "points": [[1, 2]], "shape_type": "rectangle"}`), false, "a rectangle of 1 points"},
		{"a circle of a point", text("x.jpg", `{"label": "a", "points": [[1, 2]], "shape_type": "circle"}`), false, "a circle of 1 points"},
		{"outside", text("x.jpg", `{"label": "a", "points": [[101, 1], [105, 1], [105, 4]]}`), false, "outside its picture of 20×10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := treetest.New(t, map[string]string{"x.json": tt.json, "x.jpg": "", "y.json": text("y.jpg", circle), "y.jpg": ""})
			s, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := treetest.Dropped(s, dir); len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("dropped %q, want %q", got, tt.want)
			}
			if len(s.Images) == 1 != tt.whole || len(s.Truth()) != 1 {
				t.Errorf("%d images and %d objects are left", len(s.Images), len(s.Truth()))
			}
		})
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no annotation of labelme") {
		t.Errorf("an empty folder: %v", err)
	}
}

func FuzzShape(f *testing.F) {
	f.Add("polygon", 1.0, 1.0, 5.0, 1.0)
	f.Add("circle", 1.0, 1.0, 5.0, 1.0)
	f.Fuzz(func(t *testing.T, kind string, a, b, c, d float64) {
		r := &reader{set: &dataset.Set{}}
		for n := range 4 {
			points := [][2]float64{{a, b}, {c, d}, {a, d}}[:min(n, 3)]
			if o, err := r.object(shape{Label: "a", Type: kind, Points: points}, &dataset.Image{W: 20, H: 10}); err == nil && dataset.CheckRect(o.Box) != nil {
				t.Errorf("accepted %+v", o)
			}
		}
	})
}
