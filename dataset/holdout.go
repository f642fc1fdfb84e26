package dataset

import (
	"math/rand/v2"
	"slices"
)

// HoldOut returns the set with a share, 0 to 1, of its training pictures set aside as
// Val, drawn by the seed, of each class as much. Of one picture alone nothing is set
// aside, of more at least one. Pictures of no split train. Where pictures have several
// classes it is as Divide does it: no class loses its last picture, and of a handful of
// pictures none may be set aside.
func (s *Set) HoldOut(share float64, seed uint64) *Set {
	if slices.ContainsFunc(s.Images, func(img Image) bool { return img.SeveralClasses() }) {
		return s.holdOutSeveral(share, seed)
	}
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

// holdOutSeveral is HoldOut where pictures have several classes.
func (s *Set) holdOutSeveral(share float64, seed uint64) *Set {
	out, training := *s, *s
	out.Images, training.Images = slices.Clone(s.Images), nil
	part := s.Part(Train)
	for _, i := range part {
		training.Images = append(training.Images, s.Images[i])
	}
	for k, img := range training.Divide(share, 0, seed, nil, nil).Images {
		out.Images[part[k]].Split = img.Split
	}
	return &out
}

// SeveralClasses reports whether the picture has more than one class.
func (img *Image) SeveralClasses() bool {
	return slices.ContainsFunc(img.Classes, func(c int) bool { return c != img.Classes[0] })
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
