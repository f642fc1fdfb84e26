package dataset

import (
	"os"
	"path/filepath"
	"testing"
)

func TestExisting(t *testing.T) {
	t.Parallel()
	here := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(here, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	gone := here + ".gone"
	s := &Set{Images: []Image{
		{File: here},
		{File: gone, Source: "labels.csv", Line: 7},
		{File: here, Mask: gone},
		{File: here, Mask: here},
	}}
	got := s.Existing()
	if len(got.Images) != 2 || len(got.Dropped) != 2 || len(s.Images) != 4 || s.Dropped != nil {
		t.Fatalf("%d pictures, dropped %v", len(got.Images), got.Dropped)
	}
	for i, want := range []string{"labels.csv:7: there is no picture " + gone, here + ": there is no mask " + gone} {
		if got.Dropped[i].String() != want {
			t.Errorf("dropped %q, want %q", got.Dropped[i], want)
		}
	}
}
