package compare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/taxonomy"
	"trilobite/taxonomy/wordnet"
)

// words needs the WordNet files that `make deps` brings.
func words(t *testing.T) *taxonomy.Taxonomy {
	t.Helper()
	db, err := wordnet.Open("../.deps/wordnet")
	if err != nil {
		t.Fatalf("%v (run `make deps`)", err)
	}
	tax, err := taxonomy.New(db)
	if err != nil {
		t.Fatal(err)
	}
	return tax
}

func TestMatcher(t *testing.T) {
	t.Parallel()
	tax := words(t)
	classes := []string{"cell phone", "bees", "hot_dog", "canine", "sushi", "invertebrate"}
	m := NewMatcher(classes, tax, map[string]string{"Sashimi": "sushi", "Wolf": ""})
	tests := []struct {
		reason string
		label  Label
		class  string
		how    How
	}{
		{"the same name", Label{Name: "sushi"}, "sushi", ByName},
		{"case does not matter", Label{Name: "Cell Phone"}, "cell phone", ByName},
		{"nor do underscores and hyphens", Label{Name: "Hot-Dog"}, "hot_dog", ByName},
		{"nor does number", Label{Name: "Bee"}, "bees", ByName},
		{"the taxonomy's name for it", Label{Name: "Mobile Phone"}, "cell phone", ByAlias},
		{"another alias of the taxonomy", Label{Name: "Smartphone"}, "cell phone", ByAlias},
		{"the route's own alias", Label{Name: "Frank", Aliases: []string{"Hot dog"}}, "hot_dog", ByAlias},
		{"a kind of it, by the route's parents", Label{Name: "Nigiri", Parents: []string{"Food", "Sushi"}}, "sushi", ByAncestor},
		{"a kind of it, by the table", Label{Name: "Beagle"}, "canine", ByAncestor},
		{"a kind of it, by WordNet", Label{Name: "Mantis"}, "invertebrate", ByAncestor},
		{"the surest way wins: a bee is an invertebrate too", Label{Name: "bee"}, "bees", ByName},
		{"the user's file wins", Label{Name: "sashimi"}, "sushi", ByMapping},
		{"the user's file forbids", Label{Name: "Wolf"}, "", ByMapping},
		{"a broader label is no answer", Label{Name: "Food"}, "", ""},
		{"something else", Label{Name: "Plate"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			i, how := m.Class(tt.label)
			got := ""
			if i >= 0 {
				got = classes[i]
			}
			if got != tt.class || how != tt.how {
				t.Errorf("Class(%q) = %q by %q, want %q by %q", tt.label.Name, got, how, tt.class, tt.how)
			}
		})
	}
}

func TestReadMapping(t *testing.T) {
	t.Parallel()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "map.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	got, err := ReadMapping(file("Sashimi: sushi\nPlate: none\n"), []string{"sushi"})
	if err != nil || got["Sashimi"] != "sushi" || got["Plate"] != "" || len(got) != 2 {
		t.Errorf("ReadMapping = %v, %v", got, err)
	}
	for text, want := range map[string]string{"Sashimi: fish\n": `"Sashimi" is mapped to "fish"`, "- a\n": "LABEL: CLASS"} {
		if _, err := ReadMapping(file(text), []string{"sushi"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadMapping(%q): %v, want %q", text, err, want)
		}
	}
}
