package taxonomy

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/taxonomy/wordnet"
)

// open needs the WordNet files that `make deps` brings.
func open(t *testing.T) *Taxonomy {
	t.Helper()
	db, err := wordnet.Open("../.deps/wordnet")
	if err != nil {
		t.Fatalf("%v (run `make deps`)", err)
	}
	tax, err := New(db)
	if err != nil {
		t.Fatal(err)
	}
	return tax
}

func TestResolve(t *testing.T) {
	t.Parallel()
	tax := open(t)
	tests := []struct {
		reason string
		name   string
		synset int
		want   Entry
	}{
		{"the issue's example", "bicycle", 0, Entry{"Bicycle", []string{"Vehicle", "Transportation"}, []string{"Bike"}, []string{"Vehicles and Automotive"}}},
		{"a pizza is also food", "pizza", 0, Entry{"Pizza", []string{"Food"}, nil, []string{"Food and Beverage"}}},
		{"an alias finds its label", "cell phone", 0, Entry{"Mobile Phone", []string{"Phone", "Electronics"}, []string{"Cell Phone", "Cellphone", "Smartphone"}, []string{"Technology and Computing"}}},
		{"a name the table lacks goes by WordNet", "beagle", 0, Entry{"Beagle", []string{"Hound", "Dog", "Canine", "Pet", "Mammal", "Animal"}, nil, []string{"Animals and Pets"}}},
		{"a given meaning wins over the frequent one", "crane bird", 2015503, Entry{"Crane Bird", []string{"Wading Bird", "Bird", "Animal"}, []string{"Crane"}, []string{"Animals and Pets"}}},
		{"nobody knows it", "widget no. 7", 0, Entry{"Widget No. 7", nil, nil, nil}},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tax.Resolve(tt.name, tt.synset), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Resolve(%q) (-want +got):\n%s", tt.name, diff)
			}
		})
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	tests := []struct{ reason, name, want string }{
		{"words begin with capitals", "teddy_bear", "Teddy Bear"},
		{"small words stay small, but for the first", "the jack of the lantern", "The Jack of the Lantern"},
		{"capitals stay", "iPod TV", "iPod TV"},
		{"letters of two bytes", "éclair au chocolat", "Éclair Au Chocolat"},
		{"letters without capitals", "犬 café", "犬 Café"},
		{"no words", " _ ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			if got := Title(tt.name); got != tt.want {
				t.Errorf("Title(%q) = %q, want %q", tt.name, got, tt.want)
			}
		})
	}
}

// TestImageNetHasParents holds the table to its purpose: nearly every class of the
// default classifier finds a parent and a category.
func TestImageNetHasParents(t *testing.T) {
	t.Parallel()
	tax := open(t)
	data, err := os.ReadFile("../zoo/labels/imagenet.txt")
	if err != nil {
		t.Fatal(err)
	}
	lone := []string{}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for _, line := range lines {
		f := strings.Split(line, "\t")
		synset, err := strconv.Atoi(f[1])
		if err != nil {
			t.Fatal(err)
		}
		if e := tax.Resolve(f[2], synset); len(e.Parents) == 0 && len(e.Categories) == 0 {
			lone = append(lone, e.Name)
		}
	}
	if len(lines) != 1000 || len(lone) > 100 {
		t.Errorf("%d of %d classes have neither parent nor category: %s", len(lone), len(lines), strings.Join(lone, ", "))
	}
}
