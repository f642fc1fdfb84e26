package detection

import (
	"math/rand/v2"
	"slices"

	"trilobite/dataset"
)

// Check fails unless a detector can learn from the set. One class is enough.
func Check(set *dataset.Set) error {
	note := ""
	if n := len(set.Dropped); n > 0 {
		note = " (" + set.Dropped[0].String() + ")"
	}
	boxed := func(img dataset.Image) bool {
		return slices.ContainsFunc(img.Objects, func(o dataset.Object) bool { return !o.Crowd })
	}
	s := Divide(set, 0)
	if len(s.Train) == 0 || s.HeldOut && len(s.Train) < 1 {
		return invalid("%d pictures can be used, training takes two or more%s.", len(set.Images), note)
	}
	if !slices.ContainsFunc(s.Train, func(i int) bool { return boxed(set.Images[i]) }) {
		return invalid("No picture to train on has a box%s.", note)
	}
	return nil
}

// Split are the parts of a set, as places in its images.
type Split struct {
	Train, Validation []int
	HeldOut           bool // Validation was taken out of the training part
}

// heldOut is the share of the pictures that validates where the set has no part for it.
const heldOut = 0.2

// Divide returns the training part, the images of split "train" or of none, and the
// validation part: "val", or where there is none "test", or where there is neither a
// fifth, drawn by the seed. A picture without objects counts: it teaches what is none.
func Divide(set *dataset.Set, seed uint64) Split {
	parts := map[string][]int{}
	for i, img := range set.Images {
		parts[img.Split] = append(parts[img.Split], i)
	}
	s := Split{Train: append(parts[""], parts[dataset.Train]...), Validation: parts[dataset.Val]}
	if len(s.Validation) == 0 {
		s.Validation = parts[dataset.Test]
	}
	if len(s.Validation) > 0 {
		return s
	}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // reproducible draws, no secrets
	r.Shuffle(len(s.Train), func(i, j int) { s.Train[i], s.Train[j] = s.Train[j], s.Train[i] })
	n := min(max(1, int(heldOut*float64(len(s.Train)))), len(s.Train))
	return Split{Train: s.Train[n:], Validation: s.Train[:n], HeldOut: true}
}
