package detection

import (
	"slices"

	"trilobite/dataset"
)

// Check fails unless a detector can learn from the set. One class is enough; a picture
// without objects counts: it teaches what is none.
func Check(set *dataset.Set) error {
	note := ""
	if n := len(set.Dropped); n > 0 {
		note = " (" + set.Dropped[0].String() + ")"
	}
	boxed := func(img dataset.Image) bool {
		return slices.ContainsFunc(img.Objects, func(o dataset.Object) bool { return !o.Crowd })
	}
	learned := set.Part(dataset.Train)
	if len(learned) == 0 || len(learned) < 2 && len(set.Part(dataset.Val)) == 0 {
		return invalid("%d pictures can be used, training takes two or more%s.", len(set.Images), note)
	}
	if !slices.ContainsFunc(learned, func(i int) bool { return boxed(set.Images[i]) }) {
		return invalid("No picture to train on has a box%s.", note)
	}
	return nil
}
