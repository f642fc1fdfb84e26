package evaluate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/taxonomy"
	"trilobite/zoo"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	model := zoo.Labels{Classes: []zoo.Class{
		{}, // no meaning
		{Name: "cell phone", Label: taxonomy.Entry{Name: "Mobile Phone", Aliases: []string{"Smartphone"}}},
		{Name: "crane", Label: taxonomy.Entry{Name: "Crane Bird", Aliases: []string{"Crane"}}},
		{Name: "machine", Label: taxonomy.Entry{Name: "Crane"}},
		{Name: "teddy_bear", Label: taxonomy.Entry{Name: "Teddy Bear"}},
	}}
	tests := []struct {
		name      string
		set       []string
		byIndex   bool
		to        map[int]int
		unmatched []string
	}{
		{"by the model's own name", []string{"crane", "cell phone"}, false, map[int]int{2: 0, 1: 1}, nil},
		{"by the label", []string{"mobile phone"}, false, map[int]int{1: 0}, nil},
		{"by an alias", []string{"smartphone"}, false, map[int]int{1: 0}, nil},
		{"a model's own name wins over another's label", []string{"Crane"}, false, map[int]int{2: 0}, nil},
		{"case and underscores do not count", []string{"Teddy Bear", "CELL_PHONE"}, false, map[int]int{4: 0, 1: 1}, nil},
		{"unknown names are listed in the set's order", []string{"zebra", "crane", "ape"}, false, map[int]int{2: 1}, []string{"zebra", "ape"}},
		{"two names of one class do not share it", []string{"cell phone", "smartphone"}, false, map[int]int{1: 0}, []string{"smartphone"}},
		{"unused numbers of the set are no names", []string{"", "machine", ""}, false, map[int]int{3: 1}, nil},
		{"by number names do not matter", []string{"zebra"}, true, map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 4: 4}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			to, unmatched := match(model, tt.set, tt.byIndex)
			if diff := cmp.Diff(tt.to, to); diff != "" {
				t.Errorf("classes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.unmatched, unmatched, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("unmatched (-want +got):\n%s", diff)
			}
		})
	}
}
