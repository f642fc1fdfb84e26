package dataset_test

import (
	"slices"
	"testing"

	"trilobite/dataset"
)

func TestDivide(t *testing.T) {
	t.Parallel()
	set := &dataset.Set{Classes: []string{"many", "some", "few"}}
	for i := range 100 {
		img := dataset.Image{Classes: []int{0}}
		switch {
		case i >= 95:
			img = dataset.Image{} // shows nothing
		case i >= 85:
			img.Classes = []int{2, 0}
		case i >= 60:
			img = dataset.Image{Objects: []dataset.Object{{Class: 1}, {Class: 1}}}
		}
		set.Images = append(set.Images, img)
	}
	count := func(s *dataset.Set, split string, from, to int) int {
		n := 0
		for _, i := range s.Part(split) {
			if i >= from && i < to {
				n++
			}
		}
		return n
	}
	s := set.Divide(0.2, 0.2, 1, nil, nil)
	for _, split := range []string{dataset.Val, dataset.Test} {
		got := []int{count(s, split, 0, 60), count(s, split, 60, 85), count(s, split, 85, 95), count(s, split, 95, 100)}
		if want := []int{12, 5, 2, 1}; !slices.Equal(got, want) {
			t.Errorf("%s has %v pictures of each kind, want %v", split, got, want)
		}
	}
	if len(set.Part(dataset.Val)) > 0 {
		t.Error("the set itself was changed")
	}
	same := func(a, b *dataset.Set) bool {
		return slices.EqualFunc(a.Images, b.Images, func(x, y dataset.Image) bool { return x.Split == y.Split })
	}
	if !same(s, set.Divide(0.2, 0.2, 1, nil, nil)) || same(s, set.Divide(0.2, 0.2, 2, nil, nil)) {
		t.Error("the draw does not follow from the seed")
	}
	if s := set.Divide(0.2, 0, 1, nil, nil); len(s.Part(dataset.Test)) > 0 || len(s.Part(dataset.Val)) != 20 {
		t.Errorf("without a test part: %d and %d", len(s.Part(dataset.Test)), len(s.Part(dataset.Val)))
	}
	groups := [][]int{{0, 60, 95}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}
	for seed := range uint64(20) {
		s := set.Divide(0.2, 0.1, seed, groups, nil)
		for _, g := range groups {
			for _, i := range g {
				if s.Images[i].Split != s.Images[g[0]].Split {
					t.Fatalf("seed %d: pictures %v are on several sides", seed, g)
				}
			}
		}
	}
	set.Images[3].Split = dataset.Test
	kept := func(img *dataset.Image) bool { return img.Split == dataset.Test }
	if s := set.Divide(0.2, 0, 1, nil, kept); s.Images[3].Split != dataset.Test || len(s.Part(dataset.Test)) != 1 {
		t.Errorf("the test part was not kept: %v", s.Part(dataset.Test))
	}
}
