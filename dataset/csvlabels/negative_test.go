package csvlabels

import (
	"strings"
	"testing"
)

// TestNegative: a line without class says that a picture shows nothing, unless another line
// says what it shows.
func TestNegative(t *testing.T) {
	t.Parallel()
	text := "file,name\na.jpg,tench\nb.jpg,\nc.jpg,\nc.jpg,ray\n"
	set, err := Parse(strings.NewReader(text), "x.csv", "images", Columns{File: "file", Name: "name"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"a.jpg": false, "b.jpg": true, "c.jpg": false}
	for _, img := range set.Images {
		if negative, ok := want[img.Title()]; !ok || img.Negative != negative {
			t.Errorf("%s: negative %v, want %v", img.Title(), img.Negative, negative)
		}
	}
	if len(set.Images) != len(want) {
		t.Errorf("%d pictures", len(set.Images))
	}
}
