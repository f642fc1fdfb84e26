package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/locate"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

// The examples are those of Amazon's guide, in short.
const (
	single = `{"source-ref":"s3://b/sub/a.png","x_Sunrise":1,"x_Sunrise-metadata":{"confidence":1,"job-name":"j","class-name":"Sunrise","human-annotated":"yes","creation-date":"2020-03-06T17:46:39.176","type":"groundtruth/image-classification"}}`
	multi  = `{"source-ref":"b.png","animals":["0","2"],"animals-metadata":{"class-map":{"0":"dog","2":"cat"},"type":"groundtruth/image-classification-multilabel"},"wet":0,"wet-metadata":{"class-name":"wet","type":"groundtruth/image-classification"}}`
	boxed  = `{"source-ref":"s3://b/c.png","bb":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":[{"class_id":1,"top":2,"left":3,"width":5,"height":4},{"class_id":0,"top":0,"left":0,"width":20,"height":10}]},"bb-metadata":{"objects":[{"confidence":1},{"confidence":1}],"class-map":{"0":"Echo","1":"Echo Dot"},"type":"groundtruth/object-detection"}}`
	mask   = `{"source-ref":"b.png","m":"mask.png","m-metadata":{"internal-color-map":{"0":{"class-name":"crack","hex-color":"#23A436"}},"type":"groundtruth/semantic-segmentation"}`
)

func read(t *testing.T, manifest string) (*dataset.Set, string, error) {
	t.Helper()
	dir := treetest.New(t, map[string]string{"x.manifest": manifest, "images/sub/a.png": "", "images/other/a.png": "", "images/b.png": "", "images/c.png": ""})
	files, err := locate.New(dir+"/images", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Read([]Part{{"", dir + "/x.manifest"}}, files.Find, func(string) (int, int, error) { return 20, 10, nil })
	return s, dir, err
}

func TestRead(t *testing.T) {
	t.Parallel()
	got, dir, err := read(t, single+"\r\n\n"+multi+"\n"+boxed)
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{
		Ignore:  dataset.NoIgnore,
		Classes: []string{"Echo", "Echo Dot", "Sunrise", "cat", "dog", "wet"},
		Images: []dataset.Image{
			{File: dir + "/images/sub/a.png", Classes: []int{2}},
			{File: dir + "/images/b.png", Classes: []int{4, 3, 5}},
			{File: dir + "/images/c.png", W: 20, H: 10, Objects: []dataset.Object{
				{Class: 1, Box: geom.Rect{X: 3, Y: 2, W: 5, H: 4}, Area: 20},
				{Class: 0, Box: geom.Rect{W: 20, H: 10}, Area: 200},
			}},
		},
	}
	if diff := cmp.Diff(want, got, treetest.Unplaced()); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadDrops(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		images     int // besides the good one
		want       string
	}{
		{"no JSON", "hello", 0, "x.manifest:1: no JSON object"},
		{"a list", "[]", 0, "x.manifest:1: no JSON object"},
		{"no source-ref", `{"x":1}`, 0, "x.manifest:1: there is no source-ref"},
		{"source-ref of another form", `{"source-ref":5}`, 0, "source-ref 5 is no name"},
		{"no attributes", `{"source-ref":"b.png"}`, 0, "x.manifest:1: there is no label attribute"},
		{"a mask that is not there", mask + "}", 0, "x.manifest:1: 1 masks cannot be found, the first: there is no picture mask.png"},
		{"a mask without colours", strings.Replace(mask, "internal-color-map", "x", 1) + "}", 0, "m: its metadata has no internal-color-map"},
		{"an attribute without value", `{"source-ref":"b.png","x-metadata":{"class-name":"a","type":"groundtruth/image-classification"}}`, 0, "x-metadata has no attribute x"},
		{"no class name", `{"source-ref":"b.png","x":1,"x-metadata":{"type":"groundtruth/image-classification"}}`, 0, "x: its metadata has no class-name"},
		{"metadata of another form", `{"source-ref":"b.png","x":1,"x-metadata":5}`, 0, "x-metadata: json: cannot unmarshal"},
		{"a class that is not in the map", strings.Replace(boxed, `"class_id":1`, `"class_id":7`, 1), 1, "x.manifest:1: annotation 0: class-map has no class 7"},
		{"half a box", strings.Replace(boxed, `"left":3,`, "", 1), 1, "x.manifest:1: annotation 0 lacks class_id, left, top, width or height"},
		{"a label that is not in the map", `{"source-ref":"b.png","x":["1"],"x-metadata":{"class-map":{},"type":"groundtruth/image-classification-multilabel"}}`, 0, "x: class-map has no class 1"},
		{"a box outside", strings.Replace(boxed, `"left":3`, `"left":300`, 1), 1, "x.manifest:1: the box from 300, 2"},
		{"a box without area", strings.Replace(boxed, `"width":5`, `"width":0`, 1), 1, "has no area"},
		{"no such picture", strings.Replace(boxed, "c.png", "z.png", 1), 0, "x.manifest:1: there is no picture s3://b/z.png"},
		{"a picture that may be two", strings.Replace(boxed, "c.png", "a.png", 1), 0, "may be several pictures"},
		{"too long", `{"source-ref":"` + strings.Repeat("x", 2*maxLine) + `"}`, 0, "x.manifest:1: more than 100000 characters"},
		{"just too long", strings.Repeat("x", maxLine+1), 0, "x.manifest:1: more than 100000 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, dir, err := read(t, tt.line+"\n"+single)
			if err != nil {
				t.Fatal(err)
			}
			if got := treetest.Dropped(s, dir); len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("dropped %.300q, want %q", got, tt.want)
			}
			if len(s.Images) != 1+tt.images || len(s.Images[tt.images].Classes) != 1 {
				t.Errorf("images %+v", s.Images)
			}
		})
	}
	s, dir, err := read(t, single+"\n"+single)
	if err != nil || len(s.Images) != 1 || treetest.Dropped(s, dir)[0] != "x.manifest:2: source-ref s3://b/sub/a.png is that of line 1" {
		t.Errorf("the same picture twice: %+v, error %v", s, err)
	}
	if _, _, err := read(t, "hello"); err == nil || !strings.Contains(err.Error(), "lists no picture that is here") {
		t.Errorf("nothing but a bad line: %v", err)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, l := range []string{single, multi, boxed, mask + "}"} {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := newReader(func(ref string) (string, error) { return ref, nil }, nil)
		r.parts = []Part{{"", "x"}}
		r.use = func(img *dataset.Image) error {
			r.set.Images = append(r.set.Images, *img)
			return nil
		}
		if r.parse(strings.NewReader(text), 0) != nil {
			return
		}
		r.finish()
		r.labels.Name(r.set)
		s := r.set
		for _, img := range s.Images {
			for _, c := range img.Classes {
				if c >= len(s.Classes) {
					t.Errorf("class %d of %d", c, len(s.Classes))
				}
			}
			for _, o := range img.Objects {
				if o.Class >= len(s.Classes) || dataset.CheckRect(o.Box) != nil {
					t.Errorf("accepted %+v", o)
				}
			}
		}
	})
}
