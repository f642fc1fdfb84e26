package stats

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/dataset"
	"trilobite/geom"
)

func TestOf(t *testing.T) {
	t.Parallel()
	box := func(class int, w, h float64) dataset.Object {
		return dataset.Object{Class: class, Box: geom.Rect{W: w, H: h}}
	}
	s := &dataset.Set{Classes: []string{"ant", "<b>bee", ""}, Images: []dataset.Image{
		{W: 100, H: 200, Split: "train", Classes: []int{0}, Objects: []dataset.Object{box(1, 10, 10), box(1, 40, 90)}},
		{W: 200, H: 100, Split: "val", Objects: []dataset.Object{box(0, 100, 100)}},
		{W: 300, H: 100, Split: "train"},
	}}
	got, err := Of(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Stats{
		Images: 3, Objects: 3, Unlabelled: 1, Splits: map[string]int{"train": 2, "val": 1},
		Classes: []Class{{"ant", 2, 1, 0, map[string]int{"train": 1, "val": 1}}, {"<b>bee", 1, 2, 0, map[string]int{"train": 1}}, {"", 0, 0, 0, map[string]int{}}},
		Width:   Range{100, 100, 200, 200, 300}, Height: Range{100, 100, 100, 100, 200},
		BoxSide: Range{10, 10, 60, 60, 100}, BoxShare: Range{10 / 141.42135623730951, 10 / 141.42135623730951, 60 / 141.42135623730951, 60 / 141.42135623730951, 100 / 141.42135623730951},
		Aspect: Range{40.0 / 90, 40.0 / 90, 1, 1, 1}, Small: 1, Medium: 1, Large: 1, PerImage: []int{1, 1, 1}, Together: [][]int{{2, 1, 0}, {1, 1, 0}, {0, 0, 0}},
		Sides: []Bin{{8, 1}, {11.313708498984761, 0}, {16, 0}, {22.627416997969522, 0}, {32, 0}, {45.254833995939045, 1}, {64, 0}, {90.50966799187809, 1}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Stats{}), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("Of (-want +got):\n%s", diff)
	}
	var page bytes.Buffer
	if err := got.Page(&page, "a & b"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a &amp; b", "&lt;b&gt;bee", "train 2, val 1", "small 1, medium 1, large 1", "Seen together", "45 px"} {
		if !strings.Contains(page.String(), text) {
			t.Errorf("the page does not hold %q", text)
		}
	}
	if strings.Contains(page.String(), "<b>bee") {
		t.Error("a class's name is markup")
	}
}
