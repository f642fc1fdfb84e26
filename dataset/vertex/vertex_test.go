package vertex

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/gslist"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

// The examples are those of Google's pages, in short.
const (
	single  = `{"imageGcsUri":"gs://b/a.jpg","classificationAnnotation":{"displayName":"daisy","annotationResourceLabels":{"aiplatform.googleapis.com/annotation_set_name":"x"}},"dataItemResourceLabels":{"aiplatform.googleapis.com/ml_use":"training"}}`
	several = `{"imageGcsUri":"gs://b/b.jpg","classificationAnnotations":[{"displayName":"daisy"},{"displayName":"rose"}],"dataItemResourceLabels":{"aiplatform.googleapis.com/ml_use":"validation"}}`
	boxed   = `{"imageGcsUri":"gs://b/a.jpg","boundingBoxAnnotations":[{"displayName":"tomato","xMin":0.25,"yMin":0.5,"xMax":0.75,"yMax":1}],"dataItemResourceLabels":{"aiplatform.googleapis.com/ml_use":"training"}}`
	masked  = `{"imageGcsUri":"gs://b/c.jpg","segmentationAnnotation":{"maskGcsUri":"gs://b/c.png","annotationSpecColors":[{"color":{"red":1},"displayName":"wall"},{"color":{},"displayName":"floor"}]},"polygonAnnotations":[{"displayName":"wall","vertexes":[{"x":0,"y":0},{"x":1},{"x":1,"y":1}]}]}`
)

func read(text string) (*dataset.Set, error) {
	find := func(uri string) (string, error) {
		if strings.Contains(uri, "none") {
			return "", errors.New("not here")
		}
		return uri, nil
	}
	r := &reader{gslist.New(find, func(string) (int, int, error) { return 20, 10, nil })}
	err := r.parse(strings.NewReader(text), "x.jsonl")
	r.Classes.Name(r.Set)
	return r.Set, err
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := read(strings.Join([]string{single, several, boxed, masked}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{Ignore: dataset.NoIgnore, Classes: []string{"daisy", "floor", "rose", "tomato", "wall"}, Colors: map[[3]uint8]int{{255, 0, 0}: 4, {}: 1}, Images: []dataset.Image{
		{File: "gs://b/a.jpg", Split: "train", W: 20, H: 10, Classes: []int{0}, Objects: []dataset.Object{{Class: 3, Box: geom.Rect{X: 5, Y: 5, W: 10, H: 5}, Area: 50}}},
		{File: "gs://b/b.jpg", Split: "val", W: 20, H: 10, Classes: []int{0, 2}},
		{File: "gs://b/c.jpg", W: 20, H: 10, Mask: "gs://b/c.png", Objects: []dataset.Object{{Class: 4, Box: geom.Rect{W: 20, H: 10}, Area: 100, Polygons: []geom.Polygon{{{}, {X: 20}, {X: 20, Y: 10}}}}}},
	}}
	if diff := cmp.Diff(want, got, treetest.Unplaced()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Images[1].Line != 2 || got.Images[0].Objects[0].Line != 3 {
		t.Errorf("lines %d and %d", got.Images[1].Line, got.Images[0].Objects[0].Line)
	}
}

func TestParseDrops(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"no JSON", "hello", "x.jsonl:1: invalid character"},
		{"no picture", "{}", "x.jsonl:1: there is no imageGcsUri"},
		{"a picture that is not here", strings.Replace(single, "a.jpg", "none.jpg", 1), "x.jsonl:1: not here"},
		{"another use", strings.Replace(single, "training", "x", 1), `ml_use is "x"`},
		{"two uses", several + "\n" + strings.Replace(several, "validation", "test", 1), `x.jsonl:2: gs://b/b.jpg is in split "test" here and in "val" before`},
		{"a box without a name", strings.Replace(boxed, "tomato", "", 1), "it has no displayName"},
		{"a box outside", strings.Replace(boxed, `0.25,"yMin":0.5,"xMax":0.75`, `2,"yMin":0.5,"xMax":3`, 1), "lies outside its picture of 20×10"},
		{"two vertexes", strings.Replace(masked, `,{"x":1,"y":1}`, "", 1), "a polygon of 2 points"},
		{"a line", `{"imageGcsUri":"gs://b/d.jpg","polylineAnnotations":[{}]}`, "1 polylines, which enclose nothing"},
		{"a mask that is not here", strings.Replace(masked, "c.png", "none.png", 1), "mask: not here"},
		{"a mask without colours", strings.Replace(masked, `{"color":{"red":1},"displayName":"wall"},{"color":{},"displayName":"floor"}`, "", 1), "there are no annotationSpecColors"},
		{"one colour for two", strings.Replace(masked, `{"red":1}`, "{}", 1), `the colour #000000 stands for "floor" here`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := read(tt.line + "\n" + single)
			if err != nil {
				t.Fatal(err)
			}
			if got := treetest.Dropped(s, "nowhere"); len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("dropped %q, want %q", got, tt.want)
			}
			if s.Images[len(s.Images)-1].File != "gs://b/a.jpg" {
				t.Error("the good line is not there")
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, l := range []string{single, several, boxed, masked} {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := read(text); err == nil {
			treetest.CheckSet(t, s)
		}
	})
}
