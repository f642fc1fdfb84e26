package cvat

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

// sample is in the form of the format's documentation.
const sample = `<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><job><labels><label><name>zebra</name><attributes></attributes></label><label><name>ant</name></label></labels></job></meta>
  <image id="0" name="sub/a.png" subset="Train" width="20" height="10">
    <tag label="ant" source="manual"></tag>
    <box label="zebra" source="manual" occluded="1" xtl="1.50" ytl="2.00" xbr="5.00" ybr="8.00" z_order="0"><attribute name="x">1</attribute></box>
    <polygon label="ant" source="manual" occluded="0" points="1.00,1.00;5.00,1.00;5.00,4.00" z_order="0" group_id="3"></polygon>
    <polygon label="ant" source="manual" occluded="0" points="10,2;14,2;14,6" z_order="0" group_id="3"></polygon>
    <mask label="wasp" source="manual" occluded="0" rle="1, 3, 2" left="3" top="2" width="3" height="2" z_order="0"></mask>
  </image>
</annotations>`

func read(text string) (*dataset.Set, error) {
	r := &reader{
		set: &dataset.Set{Ignore: dataset.NoIgnore}, find: func(name string) (string, error) { return name, nil },
		seen: map[string]bool{}, Part: Part{Path: "x.xml"},
	}
	return r.set, r.parse(strings.NewReader(text))
}

// TestReadSeveral: exports of several jobs are one set; a picture counts as the first says.
func TestReadSeveral(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{
		"1.xml": `<annotations><image name="a.png" width="2" height="2"><tag label="ant"/></image></annotations>`,
		"2.xml": `<annotations><meta><job><labels><label><name>bee</name></label></labels></job></meta>
<image name="a.png" width="2" height="2"><tag label="bee"/></image>
<image name="b.png" width="2" height="2" subset="Test"><tag label="ant"/></image></annotations>`,
	})
	s, err := Read([]Part{{dataset.Val, dir + "/1.xml"}, {dataset.Train, dir + "/2.xml"}}, func(name string) (string, error) { return name, nil })
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{Ignore: dataset.NoIgnore, Classes: []string{"ant", "bee"}, Images: []dataset.Image{
		{File: "a.png", Split: dataset.Val, W: 2, H: 2, Classes: []int{0}},
		{File: "b.png", Split: dataset.Test, W: 2, H: 2, Classes: []int{0}},
	}, Dropped: []dataset.Dropped{{File: dir + "/2.xml", Line: 2, Reason: `the picture "a.png" comes twice`}}}
	if diff := cmp.Diff(want, s, treetest.Unplaced()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := read(sample)
	if err != nil {
		t.Fatal(err)
	}
	mask := make([]uint8, 200)
	for _, at := range []int{2*20 + 4, 2*20 + 5, 3*20 + 3} { // of rows "out in in" and "in out out"
		mask[at] = 1
	}
	rle := geom.EncodeRLE(mask, 20, 10)
	want := &dataset.Set{Ignore: dataset.NoIgnore, Classes: []string{"zebra", "ant", "wasp"}, Images: []dataset.Image{{
		File: "sub/a.png", Split: "train", W: 20, H: 10, Classes: []int{1}, Source: "x.xml", Line: 5, Objects: []dataset.Object{
			{Class: 0, Box: geom.Rect{X: 1.5, Y: 2, W: 3.5, H: 6}, Area: 21, Occluded: true, Line: 5},
			{Class: 1, Box: geom.Rect{X: 1, Y: 1, W: 13, H: 5}, Area: 14, Line: 5, Polygons: []geom.Polygon{{{X: 1, Y: 1}, {X: 5, Y: 1}, {X: 5, Y: 4}}, {{X: 10, Y: 2}, {X: 14, Y: 2}, {X: 14, Y: 6}}}},
			{Class: 2, Box: geom.Rect{X: 3, Y: 2, W: 3, H: 2}, Area: 3, RLE: &rle, Line: 5},
		},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseDrops(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, new  string
		images, objects int
		want            string
	}{
		{"a picture twice", "</image>", "</image><image name=\"sub/a.png\"/>", 1, 3, `the picture "sub/a.png" comes twice`},
		{"another subset", "Train", "x", 1, 3, `subset "x"`},
		{"a number in words", `xtl="1.50"`, `xtl="one"`, 0, 0, "x.xml:5: strconv.ParseFloat"},
		{"no label", `box label="zebra"`, `box label=""`, 1, 2, "box 1 has no label"},
		{"no point", "1.00,1.00;5.00", "1.00;5.00", 1, 3, `polygon 2, a ant: "1.00" is no point`},
		{"a line", "polygon label=\"ant\" source=\"manual\" occluded=\"0\" points=\"10,2", "polyline label=\"ant\" points=\"10,2", 1, 3, "polyline 3, a ant: it encloses nothing"},
		{"runs too long", `rle="1, 3, 2"`, `rle="1, 9"`, 1, 2, `a run of " 9" pixels at 1 of 6`},
		{"a mask outside", `left="3"`, `left="18"`, 1, 2, "a mask of 3×2 at 18, 2 of a picture of 20×10"},
		{"an empty mask", `rle="1, 3, 2"`, `rle="6"`, 1, 2, "the mask is empty"},
		{"a box outside", `xtl="1.50"`, `xtl="-99"`, 1, 3, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(sample, tt.old, tt.new, 1)
			if strings.HasPrefix(tt.new, "polyline") {
				text = strings.Replace(text, "14,6\" z_order=\"0\" group_id=\"3\"></polygon>", "14,6\"></polyline>", 1)
			}
			s, err := read(text)
			if err != nil {
				t.Fatal(err)
			}
			got := treetest.Dropped(s, "nowhere")
			if tt.want == "" && len(s.Clipped) != 1 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("dropped %q, cut %v, want %q", got, s.Clipped, tt.want)
			}
			if len(s.Images) != tt.images || len(s.Truth()) != tt.objects {
				t.Errorf("%d images and %d objects are left", len(s.Images), len(s.Truth()))
			}
		})
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a video", `<annotations><track id="0"></track></annotations>`, "it is of a video"},
		{"cut short", sample[:500], "unexpected EOF"},
	} {
		if _, err := read(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := read(text); err == nil {
			treetest.CheckSet(t, s)
		}
	})
}

// TestWriteSubsets: pictures of subsets are a project's, whose subsets are listed: Datumaro
// passes the pictures of a task over whose subset is not the file's name.
func TestWriteSubsets(t *testing.T) {
	t.Parallel()
	for want, splits := range map[string][]string{
		"<project>\n  <size>2</size>\n  <mode>annotation</mode>\n  <subset>Train</subset>\n  <subset>Validation</subset>\n": {dataset.Val, dataset.Train},
		"<task>\n  <size>1</size>\n  <mode>annotation</mode>\n  <labels>\n":                                                 {""},
	} {
		dir := treetest.New(t, map[string]string{"a.png": ""})
		s := &dataset.Set{Classes: []string{"cell"}}
		for i, split := range splits {
			s.Images = append(s.Images, dataset.Image{File: dir + "/a.png", Name: fmt.Sprintf("%d.png", i), Split: split, W: 2, H: 2})
		}
		if err := Write(&dataset.Folder{Dir: dir + "/out"}, s); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(dir + "/out/annotations.xml")
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("splits %q: %v in %s, want %s", splits, err, data, want)
		}
	}
}
