package dataset

import (
	"math/rand/v2"
	"slices"
)

// HoldOut returns the set with a share, 0 to 1, of its training pictures set aside as
// Val, drawn by the seed: of each class as much, where each picture has one class. Of
// one picture alone nothing is set aside, of more at least one. Pictures of no split
// train.
func (s *Set) HoldOut(share float64, seed uint64) *Set {
	out := *s
	out.Images = slices.Clone(s.Images)
	var groups [][]int
	for i, img := range out.Images {
		if img.Split != "" && img.Split != Train {
			continue
		}
		out.Images[i].Split = Train
		group := 0
		if len(img.Classes) == 1 {
			group = img.Classes[0]
		}
		for len(groups) <= group {
			groups = append(groups, nil)
		}
		groups[group] = append(groups[group], i)
	}
	for g, images := range groups {
		r := rand.New(rand.NewPCG(seed, uint64(g)+1)) //nolint:gosec // reproducible draws, no secrets
		r.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
		n := 0
		if len(images) > 1 {
			n = max(1, int(share*float64(len(images))))
		}
		for _, i := range images[:n] {
			out.Images[i].Split = Val
		}
	}
	return &out
}

// Part returns the places of the pictures of a split in s.Images. Those of no split train.
func (s *Set) Part(split string) []int {
	var part []int
	for i, img := range s.Images {
		if img.Split == split || img.Split == "" && split == Train {
			part = append(part, i)
		}
	}
	return part
}
