package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"trilobite/dataset"
)

// Subset returns a share, 0 to 1, of a set's images, of each class as much where an image
// has one class, at least two of each; a smaller share's images are among a larger's.
func Subset(set *dataset.Set, share float64, seed uint64) *dataset.Set {
	groups := map[int][]int{}
	for i, img := range set.Images {
		g := 0
		if len(img.Classes) == 1 {
			g = img.Classes[0]
		}
		groups[g] = append(groups[g], i)
	}
	var chosen []int
	for g, images := range groups {
		r := rand.New(rand.NewPCG(seed, uint64(g)+1)) //nolint:gosec // reproducible draws, no secrets
		r.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
		n := max(2, int(math.Round(share*float64(len(images)))))
		chosen = append(chosen, images[:min(n, len(images))]...)
	}
	slices.Sort(chosen)
	some := *set
	some.Images = nil
	for _, i := range chosen {
		some.Images = append(some.Images, set.Images[i])
	}
	return &some
}
