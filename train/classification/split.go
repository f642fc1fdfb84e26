package classification

import (
	"math/rand/v2"

	"trilobite/dataset"
)

// Split are the parts of a set, as places in its images.
type Split struct {
	Train, Validation []int
	HeldOut           bool // Validation was taken out of the training part
}

// heldOut is the share of a class that validates where the set has no part for it.
const heldOut = 0.2

// Divide returns the training part, the images of split "train" or of none, and the
// validation part: "val", or where there is none "test", or where there is neither a
// fifth of each class, drawn by the seed. A class of one picture keeps it for training.
func Divide(set *dataset.Set, seed uint64) Split {
	parts := map[string][]int{}
	for i, img := range set.Images {
		if len(img.Classes) == 1 {
			parts[img.Split] = append(parts[img.Split], i)
		}
	}
	s := Split{Train: append(parts[""], parts[dataset.Train]...), Validation: parts[dataset.Val]}
	if len(s.Validation) == 0 {
		s.Validation = parts[dataset.Test]
	}
	if len(s.Validation) > 0 {
		return s
	}
	s.HeldOut = true
	byClass := make([][]int, len(set.Classes))
	for _, i := range s.Train {
		c := set.Images[i].Classes[0]
		byClass[c] = append(byClass[c], i)
	}
	s.Train = nil
	for c, images := range byClass {
		r := rand.New(rand.NewPCG(seed, uint64(c))) //nolint:gosec // reproducible draws, no secrets
		r.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
		n := 0
		if len(images) > 1 {
			n = max(1, int(heldOut*float64(len(images))))
		}
		s.Validation = append(s.Validation, images[:n]...)
		s.Train = append(s.Train, images[n:]...)
	}
	return s
}
