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

// Where pictures have several classes, each class is divided, and none leaves the training.
func TestHoldOutSeveral(t *testing.T) {
	t.Parallel()
	set := &dataset.Set{Classes: []string{"a", "b", "rare"}}
	for i := range 40 {
		set.Images = append(set.Images, dataset.Image{Classes: [][]int{{0, 1}, {0}, {1}, {1, 0}}[i%4]})
	}
	set.Images[7].Classes, set.Images[9].Split = []int{0, 2}, dataset.Test
	s := set.HoldOut(0.2, 3)
	counts := map[int]int{}
	for _, i := range s.Part(dataset.Val) {
		for _, c := range s.Images[i].Classes {
			counts[c]++
		}
	}
	if n := len(s.Part(dataset.Val)); n < 7 || n > 9 || counts[0] < 5 || counts[1] < 5 || counts[2] != 0 || !slices.Equal(s.Part(dataset.Test), []int{9}) {
		t.Errorf("of 39 pictures %d validate, by class %v; test is %v", n, counts, s.Part(dataset.Test))
	}
	if !slices.Equal(s.Part(dataset.Val), set.HoldOut(0.2, 3).Part(dataset.Val)) || len(set.Part(dataset.Val)) > 0 {
		t.Error("the same seed divides otherwise, or the set itself was changed")
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
