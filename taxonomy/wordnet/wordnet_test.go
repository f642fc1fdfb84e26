package wordnet

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tiny is a database in WordNet's format: thing > vehicle > bicycle.
func tiny(t *testing.T, index, data string) *DB {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"index.noun": index, "data.noun": data} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestAncestors(t *testing.T) {
	t.Parallel()
	const (
		thing   = "00000000 03 n 01 thing 0 000 | anything\n"
		vehicle = "00000043 06 n 01 vehicle 0 001 @ 00000000 n 0000 | it carries\n"
		bicycle = "00000106 06 n 02 bicycle 0 push_bike 0 001 @ 00000043 n 0000 | two wheels\n"
	)
	db := tiny(t, "  1 licence\nbicycle n 1 1 @ 1 0 00000106\nthing n 1 0 1 0 00000000\nvehicle n 1 1 @ 1 0 00000043\n", thing+vehicle+bicycle)
	senses := db.Senses("Bicycle")
	if len(senses) != 1 {
		t.Fatalf("Senses(Bicycle) = %v, want one", senses)
	}
	want := Synset{Offset: 106, Lemmas: []string{"bicycle", "push bike"}, Gloss: "two wheels", Hypernyms: []int{43}}
	if diff := cmp.Diff(want, senses[0]); diff != "" {
		t.Errorf("Senses (-want +got):\n%s", diff)
	}
	var up []int
	for _, a := range db.Ancestors(senses[0]) {
		up = append(up, a.Offset)
	}
	if diff := cmp.Diff([]int{43, 0}, up); diff != "" {
		t.Errorf("Ancestors (-want +got):\n%s", diff)
	}
}

func TestBrokenFilesAnswerNothing(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, index, data string }{
		{"empty", "", ""},
		{"offset outside the file", "bicycle n 1 1 @ 1 0 00999999\n", "00000000 03 n 01 thing 0 000 | x\n"},
		{"sense count beyond the line", "bicycle n 9 1 @ 1 0 00000000\n", "00000000 03 n 01 thing 0 000 | x\n"},
		{"word count beyond the line", "bicycle n 1 1 @ 1 0 00000000\n", "00000000 03 n ff thing 0 000 | x\n"},
		{"offset into a line's middle", "bicycle n 1 1 @ 1 0 00000004\n", "00000000 03 n 01 thing 0 000 | x\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tiny(t, tt.index, tt.data).Senses("bicycle"); len(got) != 0 {
				t.Errorf("Senses = %v, want none", got)
			}
		})
	}
}
