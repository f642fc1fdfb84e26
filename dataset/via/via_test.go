package via

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

const (
	triangle = `{"shape_attributes": {"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [1, 1, 4]}, "region_attributes": {"label": "nigiri"}}`
	rect     = `{"shape_attributes": {"name": "rect", "x": 2, "y": 3, "width": 4, "height": 5}, "region_attributes": {"sort": {"maki": true, "temaki": false}}}`
	bare     = `{"shape_attributes": {"name": "rect", "x": 0, "y": 0, "width": 1, "height": 1}, "region_attributes": {}}`
)

func entry(file, regions string) string {
	return `"` + file + `123": {"filename": "` + file + `", "size": 123, "regions": ` + regions + `, "file_attributes": {}}`
}

func size(string) (int, int, error) { return 20, 10, nil }

func read(t *testing.T, text string) (*dataset.Set, string, error) {
	t.Helper()
	dir := treetest.New(t, map[string]string{"via.json": text, "images/a.jpg": "", "images/b.jpg": ""})
	s, err := Read(dir+"/via.json", dir+"/images", size)
	return s, dir, err
}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"a list of regions", "{" + entry("a.JPG", "["+triangle+","+rect+","+bare+"]") + ",\n" + entry("b.jpg", "[]") + "}"},
		{"version 1", "{" + entry("a.jpg", `{"0": `+triangle+`, "1": `+rect+`, "2": `+bare+`}`) + ",\n" + entry("b.jpg", "{}") + "}"},
		{"a project", `{"_via_settings": {"ui": 1}, "_via_img_metadata": {` + entry("a.jpg", "["+triangle+","+rect+","+bare+"]") + ",\n" + entry("b.jpg", "[]") + `}, "_via_attributes": {}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, dir, err := read(t, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			want := &dataset.Set{
				Ignore:  dataset.NoIgnore,
				Classes: []string{"maki", "nigiri", "object"},
				Images: []dataset.Image{
					{File: dir + "/images/a.jpg", W: 20, H: 10, Objects: []dataset.Object{
						{Class: 1, Box: geom.Rect{X: 1, Y: 1, W: 4, H: 3}, Area: 6, Polygons: []geom.Polygon{{{X: 1, Y: 1}, {X: 5, Y: 1}, {X: 5, Y: 4}}}},
						{Class: 0, Box: geom.Rect{X: 2, Y: 3, W: 4, H: 5}, Area: 20, Polygons: []geom.Polygon{{{X: 2, Y: 3}, {X: 6, Y: 3}, {X: 6, Y: 8}, {X: 2, Y: 8}}}},
						{Class: 2, Box: geom.Rect{W: 1, H: 1}, Area: 1, Polygons: []geom.Polygon{{{}, {X: 1}, {X: 1, Y: 1}, {Y: 1}}}},
					}},
					{File: dir + "/images/b.jpg", W: 20, H: 10},
				},
			}
			if diff := cmp.Diff(want, got, treetest.Unplaced()); diff != "" {
				t.Errorf("Read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadRound(t *testing.T) {
	t.Parallel()
	s, _, err := read(t, "{"+entry("a.jpg", `[
		{"shape_attributes": {"name": "circle", "cx": 10, "cy": 5, "r": 2}},
		{"shape_attributes": {"name": "ellipse", "cx": 10, "cy": 5, "rx": 4, "ry": 2, "theta": 1.5707963267948966}}]`)+"}")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []geom.Rect{{X: 8, Y: 3, W: 4, H: 4}, {X: 8, Y: 1, W: 4, H: 8}} {
		got := s.Images[0].Objects[i].Box
		for _, d := range []float64{got.X - want.X, got.Y - want.Y, got.W - want.W, got.H - want.H} {
			if d > 1e-9 || d < -1e-9 {
				t.Errorf("object %d: box %v, want %v", i, got, want)
			}
		}
	}
}

func TestReadDrops(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, entry, want string }{
		{"a picture that is not there", entry("z.jpg", "[]"), `via.json:2: there is no picture "z.jpg" in images`},
		{"a path", entry("../via.json", "[]"), `via.json:2: there is no picture "../via.json"`},
		{"no name", `"x": {"regions": []}`, "via.json:2: no filename"},
		{"no picture at all", `"x": 5`, "via.json:2: json: cannot unmarshal number"},
		{"regions of another form", entry("a.jpg", `"none"`), "via.json:2: json: cannot unmarshal string"},
		{"a point", entry("a.jpg", `[{"shape_attributes": {"name": "point", "cx": 1, "cy": 1}}]`), `via.json:2: a.jpg, region 0: a "point" encloses nothing`},
		{"two corners", entry("a.jpg", `[{"shape_attributes": {"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1, 1]}}]`), "region 0: a polygon of 2 points"},
		{"x without y", entry("a.jpg", `[{"shape_attributes": {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1]}}]`), "region 0: 3 x and 1 y"},
		{"a line", entry("a.jpg", `[{"shape_attributes": {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 1, 1]}}]`), "has no area"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, dir, err := read(t, "{\n"+tt.entry+",\n"+entry("b.jpg", "["+triangle+"]")+"}")
			if err != nil {
				t.Fatal(err)
			}
			got := treetest.Dropped(s, dir)
			if len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("dropped %q, want %q", got, tt.want)
			}
			if last := s.Images[len(s.Images)-1]; !strings.HasSuffix(last.File, "b.jpg") || len(last.Objects) != 1 {
				t.Errorf("the good picture came out as %+v", last)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"cut short", "{" + entry("a.jpg", "["), "via.json: line 1: "},
		{"a list", "[]", "where an object is expected"},
		{"nothing annotated", "{}", "annotates none of the pictures"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := read(t, tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("{" + entry("a.jpg", "["+triangle+","+rect+"]") + "}")
	f.Add(`{"_via_img_metadata": {` + entry("a.jpg", `{"0": `+bare+`}`) + "}}")
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{set: &dataset.Set{}, size: size, find: func(name string) (string, error) {
			if name == "z" {
				return "", errors.New("not there")
			}
			return name, nil
		}}
		if r.read(strings.NewReader(text)) != nil {
			return
		}
		for _, o := range r.set.Truth() {
			if o.Class >= len(r.set.Classes) || dataset.CheckRect(o.Box) != nil {
				t.Errorf("accepted %+v", o)
			}
		}
	})
}
