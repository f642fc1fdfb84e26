package automl

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/dataset"
	"trilobite/dataset/internal/gslist"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

// sample has the lines of Google's pages: labels, corners, all four, and nothing.
const sample = `TRAIN,gs://b/a.jpg,salad,baked goods
VALIDATION,gs://b/b.jpg,tomato,0.25,0.5,,,0.75,1,,
TEST,gs://b/c.jpg,tomato,0.1,0.1,0.9,0.1,0.9,0.9,0.1,0.9
UNASSIGNED,gs://b/d.jpg
gs://b/e.jpg,salad
VALIDATION,gs://b/b.jpg,salad,0,0,,,1,1,,
TRAIN,gs://b/f.jpg,,,,,,,,,
`

func read(text string) (*dataset.Set, error) {
	find := func(uri string) (string, error) {
		if strings.Contains(uri, "none") {
			return "", errors.New("not here")
		}
		return uri, nil
	}
	r := &reader{gslist.New(find, func(string) (int, int, error) { return 20, 10, nil })}
	err := r.parse(strings.NewReader(text), "x.csv")
	r.Classes.Name(r.Set)
	return r.Set, err
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := read(sample)
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Set{Ignore: dataset.NoIgnore, Classes: []string{"baked goods", "salad", "tomato"}, Images: []dataset.Image{
		{File: "gs://b/a.jpg", Split: "train", Classes: []int{1, 0}},
		{File: "gs://b/b.jpg", Split: "val", W: 20, H: 10, Objects: []dataset.Object{{Class: 2, Box: geom.Rect{X: 5, Y: 5, W: 10, H: 5}, Area: 50}, {Class: 1, Box: geom.Rect{W: 20, H: 10}, Area: 200}}},
		{File: "gs://b/c.jpg", Split: "test", W: 20, H: 10, Objects: []dataset.Object{{Class: 2, Box: geom.Rect{X: 2, Y: 1, W: 16, H: 8}, Area: 128}}},
		{File: "gs://b/d.jpg"}, {File: "gs://b/e.jpg", Classes: []int{1}}, {File: "gs://b/f.jpg", Split: "train"},
	}}
	if diff := cmp.Diff(want, got, treetest.Unplaced(), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseDrops(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"another use", "LEARN,gs://b/b.jpg,a", `x.csv:1: "LEARN" is neither TRAIN`},
		{"no picture", "TRAIN", "x.csv:1: there is no picture"},
		{"a picture that is not here", "TRAIN,gs://b/none.jpg,a", "x.csv:1: not here"},
		{"two uses", "TEST,gs://b/b.jpg,a\nTRAIN,gs://b/b.jpg,a", `x.csv:2: gs://b/b.jpg is in split "train" here`},
		{"one corner", "TRAIN,gs://b/b.jpg,a,0.1,0.1,,,,,,", "x.csv:1: a box of 1 corners"},
		{"a box without area", "TRAIN,gs://b/b.jpg,a,0.1,0.1,,,0.1,0.5,,", "has no area"},
		{"no number", "TRAIN,gs://b/b.jpg,a,NaN,0.1,,,0.1,0.5,,", "is not finite"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := read(tt.line + "\n" + "UNASSIGNED,gs://b/d.jpg\ngs://b/e.jpg,salad\nTRAIN,gs://b/f.jpg,,,,,,,,,\n")
			if err != nil {
				t.Fatal(err)
			}
			var mine []string
			for _, d := range treetest.Dropped(s, "nowhere") {
				if strings.Contains(d, tt.want) {
					mine = append(mine, d)
				}
			}
			if len(mine) != 1 {
				t.Errorf("dropped %q, want %q", treetest.Dropped(s, "nowhere"), tt.want)
			}
			if len(s.Part("train")) < 3 {
				t.Errorf("good lines are not there: %+v", s.Images)
			}
		})
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
