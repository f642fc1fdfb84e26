package learn

import (
	"math/rand/v2"
	"slices"

	"trilobite/dataset"
)

// fewFolds and manyFolds are the parts of a cross-validation: fewer where images times
// labels are above manyCells, for each fold has a head of its own to learn.
const (
	fewFolds  = 2
	manyFolds = 5
	manyCells = 200_000
)

// foldsOf deals the images out to folds, those of each label evenly. An image of several
// labels counts for its rarest.
func foldsOf(set *dataset.Set, several bool) []int {
	n := manyFolds
	if len(set.Images)*len(set.Classes) > manyCells {
		n = fewFolds
	}
	count := make([]int, len(set.Classes))
	for _, img := range set.Images {
		for _, c := range img.Classes {
			count[c]++
		}
	}
	groups := make([][]int, len(set.Classes)+1) // one for images without any
	for i, img := range set.Images {
		at := len(set.Classes)
		switch {
		case len(img.Classes) > 0 && !several:
			at = img.Classes[0]
		case len(img.Classes) > 0:
			at = slices.MinFunc(img.Classes, func(a, b int) int { return count[a] - count[b] })
		}
		groups[at] = append(groups[at], i)
	}
	folds, next := make([]int, len(set.Images)), 0
	for c, images := range groups {
		r := rand.New(rand.NewPCG(seed, uint64(c)+1)) //nolint:gosec // reproducible draws, no secrets
		r.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
		for _, i := range images {
			folds[i] = next % n
			next++
		}
	}
	return folds
}
