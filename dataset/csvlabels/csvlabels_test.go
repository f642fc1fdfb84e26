package csvlabels

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
)

const sample = "file,wnid,index,name\na.jpg,n1,2,tench\n\"sub/b, c.jpg\",n2,0,ray\n"

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		columns Columns
		want    *dataset.Set
	}{
		{"numbers and names", Columns{File: "file", Index: "index", Name: "name"}, &dataset.Set{
			Ignore:  dataset.NoIgnore,
			Classes: []string{"ray", "", "tench"},
			Images:  []dataset.Image{{File: "images/a.jpg", Classes: []int{2}}, {File: "images/sub/b, c.jpg", Classes: []int{0}}},
		}},
		{"numbers only", Columns{File: "file", Index: "index"}, &dataset.Set{
			Ignore:  dataset.NoIgnore,
			Classes: []string{"", "", ""},
			Images:  []dataset.Image{{File: "images/a.jpg", Classes: []int{2}}, {File: "images/sub/b, c.jpg", Classes: []int{0}}},
		}},
		{"names only, numbered by the alphabet", Columns{File: "file", Name: "name"}, &dataset.Set{
			Ignore:  dataset.NoIgnore,
			Classes: []string{"ray", "tench"},
			Images:  []dataset.Image{{File: "images/a.jpg", Classes: []int{1}}, {File: "images/sub/b, c.jpg", Classes: []int{0}}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(strings.NewReader(sample), "x.csv", "images", tt.columns)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, treetest.Unplaced()); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	all := Columns{File: "file", Index: "index", Name: "name"}
	tests := []struct {
		name, text string
		columns    Columns
		want       string
	}{
		{"nothing", "", all, "heading"},
		{"no such column", "file,index\n", all, `no column "name"`},
		{"no columns asked for", sample, Columns{File: "file"}, "required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(strings.NewReader(tt.text), "x.csv", "images", tt.columns)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestParseDrops(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"a line too short", "a.jpg,1", "x.csv:2: 2 fields, the heading has 4"},
		{"class in words", "a.jpg,one,x,", `x.csv:2: class "one"`},
		{"class far out", "a.jpg,4000000000,x,", "x.csv:2: class"},
		{"negative class", "a.jpg,-1,x,", "x.csv:2: class"},
		{"path out of the folder", "../a.jpg,1,x,", `x.csv:2: file name "../a.jpg"`},
		{"an unknown split", "a.jpg,1,x,holdout", `x.csv:2: split "holdout"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse(strings.NewReader("file,index,name,split\n"+tt.line+"\nb.jpg,0,y,Valid\n"), "x.csv", "images", Columns{File: "file", Index: "index", Name: "name", Split: "split"})
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0].String(), tt.want) {
				t.Errorf("dropped %v, want %q", s.Dropped, tt.want)
			}
			want := []dataset.Image{{File: "images/b.jpg", Split: "val", Classes: []int{0}}}
			if diff := cmp.Diff(want, s.Images, treetest.Unplaced()); diff != "" {
				t.Errorf("the rest (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(strings.NewReader(text), "x.csv", "images", Columns{File: "file", Index: "index", Name: "name"})
		if err != nil {
			return
		}
		for _, img := range s.Images {
			if len(img.Classes) != 1 || img.Classes[0] >= len(s.Classes) {
				t.Errorf("classes %v of %d", img.Classes, len(s.Classes))
			}
		}
	})
}
