package dataset_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"trilobite/dataset"
)

func TestHoldOut(t *testing.T) {
	t.Parallel()
	set := &dataset.Set{Classes: []string{"a", "b"}}
	for i := range 11 {
		set.Images = append(set.Images, dataset.Image{Classes: []int{min(i/10, 1)}})
	}
	s := set.HoldOut(0.2, 1)
	if train, val := s.Part(dataset.Train), s.Part(dataset.Val); len(val) != 2 || len(train) != 9 || !slices.Contains(train, 10) {
		t.Errorf("10 and 1 pictures are divided into %v and %v", train, val)
	}
	if len(set.Part(dataset.Val)) > 0 {
		t.Error("the set itself was changed")
	}
	set.Images[3].Split = dataset.Test
	if s := set.HoldOut(0.2, 1); !slices.Equal(s.Part(dataset.Test), []int{3}) {
		t.Errorf("a test picture is in another part: %v", s.Part(dataset.Test))
	}
	for i := range set.Images {
		set.Images[i] = dataset.Image{Objects: []dataset.Object{{Class: i}}}
	}
	if s := set.HoldOut(0.2, 1); len(s.Part(dataset.Val)) != 2 {
		t.Errorf("of 11 pictures with boxes %d validate, want 2", len(s.Part(dataset.Val)))
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(file, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	digest := func(s dataset.Set) string {
		t.Helper()
		d, err := s.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	set := func(class int) dataset.Set {
		return dataset.Set{Classes: []string{"a", "b"}, Images: []dataset.Image{{File: file, Classes: []int{class}}}}
	}
	first := digest(set(0))
	if digest(set(0)) != first || digest(set(1)) == first {
		t.Error("the digest does not follow from the set, or not from the labels")
	}
	if err := os.WriteFile(file, []byte("ab"), 0o600); err != nil {
		t.Fatal(err)
	}
	if digest(set(0)) == first {
		t.Error("the digest does not see that a file was changed")
	}
}
