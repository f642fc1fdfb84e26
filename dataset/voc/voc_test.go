package voc

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

func annotation(objects ...string) string {
	return "<annotation>\n<filename>x.jpg</filename>\n" + strings.Join(objects, "\n") +
		"\n<size><width>20</width><height>10</height><depth>3</depth></size>\n</annotation>\n"
}

func thing(name string, box ...any) string {
	return "<object><name>" + name + "</name><part><name>ear</name></part>" +
		fmt.Sprintf("<bndbox><xmin>%v</xmin><ymin>%v</ymin><xmax>%v</xmax><ymax>%v</ymax></bndbox></object>", box...)
}

func layout(dir string) Layout {
	return Layout{filepath.Join(dir, "Annotations"), filepath.Join(dir, "JPEGImages"), filepath.Join(dir, "ImageSets/Main")}
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{
		"Annotations/a.xml": annotation(thing("dog", 1, 2, 5.5, 6), thing(" cat ", 0, 0, 20, 10)),
		"Annotations/b.xml": annotation(thing("cat", 3, 3, 4, 4)),
		"Annotations/c.xml": annotation(),
		"JPEGImages/a.jpg":  "", "JPEGImages/b.PNG": "", "JPEGImages/c.jpg": "",
		"ImageSets/Main/val.txt":   "a\r\n",
		"ImageSets/Main/train.txt": "c 1\n\nb -1\n",
	})
	got, err := Read(layout(dir))
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{
		Ignore:  dataset.NoIgnore,
		Classes: []string{"cat", "dog"},
		Images: []dataset.Image{
			{File: dir + "/JPEGImages/c.jpg", Split: "train", W: 20, H: 10},
			{File: dir + "/JPEGImages/b.PNG", Split: "train", W: 20, H: 10, Objects: []dataset.Object{
				{Class: 0, Box: geom.Rect{X: 3, Y: 3, W: 1, H: 1}, Area: 1},
			}},
			{File: dir + "/JPEGImages/a.jpg", Split: "val", W: 20, H: 10, Objects: []dataset.Object{
				{Class: 1, Box: geom.Rect{X: 1, Y: 2, W: 4.5, H: 4}, Area: 18},
				{Class: 0, Box: geom.Rect{W: 20, H: 10}, Area: 200},
			}},
		},
	}
	if diff := cmp.Diff(want, got, treetest.Unplaced()); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestReadWithoutSplits(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{"b.xml": annotation(), "a.xml": annotation(), "a.jpg": "", "b.jpg": "", "notes.txt": ""})
	got, err := Read(Layout{Annotations: dir, Images: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Images) != 2 || got.Images[0].File != dir+"/a.jpg" || got.Images[0].Split != "" {
		t.Errorf("images %v", got.Images)
	}
}

func TestReadDrops(t *testing.T) {
	t.Parallel()
	good := annotation(thing("dog", 1, 2, 5, 6))
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a box without area", map[string]string{"Annotations/a.xml": annotation(thing("dog", 1, 2, 5, 6), thing("dog", 3, 3, 3, 8))},
			"Annotations/a.xml:4: the box from 3, 3 to 3, 8 has no area"},
		{"a box inside out", map[string]string{"Annotations/a.xml": annotation(thing("dog", 5, 2, 1, 6))}, "Annotations/a.xml:3: box {5 2 -4 4} has a negative side"},
		{"a box outside", map[string]string{"Annotations/a.xml": annotation(thing("dog", 30, 2, 31, 6))}, "outside its picture of 20×10"},
		{"a corner in words", map[string]string{"Annotations/a.xml": annotation(thing("dog", "one", 2, 5, 6))}, `Annotations/a.xml:3: bndbox: "one" is no number`},
		{"NaN", map[string]string{"Annotations/a.xml": annotation(thing("dog", "NaN", 2, 5, 6))}, "not finite"},
		{"no name", map[string]string{"Annotations/a.xml": annotation(thing("", 1, 2, 5, 6))}, "Annotations/a.xml:3: an object without a name"},
		{"cut short", map[string]string{"Annotations/a.xml": good[:80]}, "Annotations/a.xml: XML syntax error on line 3"},
		{"another XML", map[string]string{"Annotations/a.xml": "<svg/>"}, `begins with the element "svg"`},
		{"no XML", map[string]string{"Annotations/a.xml": ""}, "no annotation element"},
		{"an ID without picture", map[string]string{"ImageSets/Main/train.txt": "a\nz\n"}, "ImageSets/Main/train.txt:2: there is no picture z in JPEGImages"},
		{"an ID out of the folder", map[string]string{"ImageSets/Main/train.txt": "a\n../a\n"}, `ImageSets/Main/train.txt:2: file name "../a.xml" leads out`},
		{"a picture without XML", map[string]string{"JPEGImages/z.jpg": "", "ImageSets/Main/train.txt": "z\n"}, "ImageSets/Main/train.txt:1: open "},
		{"an ID in two lists", map[string]string{"ImageSets/Main/val.txt": "a\n"}, `ImageSets/Main/val.txt:1: "a" is already in train.txt`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"Annotations/a.xml": good, "Annotations/b.xml": good, "JPEGImages/a.jpg": "", "JPEGImages/b.jpg": "",
				"ImageSets/Main/train.txt": "a\n", "ImageSets/Main/test.txt": "b\n"}
			maps.Copy(files, tt.files)
			dir := treetest.New(t, files)
			s, err := Read(layout(dir))
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
	dir := treetest.New(t, map[string]string{"Annotations/": "", "JPEGImages/a.jpg": ""})
	if _, err := Read(layout(dir)); err == nil || !strings.Contains(err.Error(), "no annotated pictures") {
		t.Errorf("nothing annotated: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(annotation(thing("dog", 1, 2, 5.5, 6), thing("cat", 0, 0, 20, 10)))
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{set: &dataset.Set{}}
		var img dataset.Image
		if r.parse(strings.NewReader(text), "a.xml", &img) != nil {
			return
		}
		r.set.Images = []dataset.Image{img}
		r.classes.Name(r.set)
		for _, o := range img.Objects {
			if dataset.CheckRect(o.Box) != nil || o.Class >= len(r.set.Classes) {
				t.Errorf("accepted %+v", o)
			}
		}
	})
}

// TestWriteLabelmap: CVAT and Datumaro learn the classes from labelmap.txt.
func TestWriteLabelmap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		classes []string
		want    string // "": no file
	}{
		{"with the background before", []string{"ant", "red cell"}, "# label:color_rgb:parts:actions\nbackground:0,0,0::\nant:230,159,0::\nred cell:0,158,115::\n"},
		{"which the set may have", []string{"ant", "background"}, "# label:color_rgb:parts:actions\nant:0,114,178::\nbackground:0,0,0::\n"},
		{"a name with a colon", []string{"a:b"}, ""},
		{"a name that would be a comment", []string{"#1"}, ""},
	} {
		dir := t.TempDir()
		if err := Write(&dataset.Folder{Dir: dir}, &dataset.Set{Classes: tt.classes}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "labelmap.txt"))
		if string(got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}
