package segmentation

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/masks"
)

// Prepare makes a set for segmentation of one with masks or outlines, and counts the
// pixels of each class. What cannot be used is dropped from it and listed in Dropped. It
// fails where there is nothing to tell apart.
func Prepare(ctx context.Context, set *dataset.Set, parallel int) (*dataset.Set, []int64, error) {
	masked := slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return img.Mask != "" })
	if !masked {
		var err error
		if set, err = masks.Outlined(set); err != nil {
			return nil, nil, err
		}
	}
	some := *set
	some.Dropped = slices.Clone(set.Dropped)
	some.Images = slices.DeleteFunc(slices.Clone(set.Images), func(img dataset.Image) bool { return masked && img.Mask == "" })
	pixels, err := masks.Scan(ctx, &some, parallel, nil)
	if err != nil {
		return nil, nil, err
	}
	if !masked {
		pixels = outlined(&some)
	}
	return &some, pixels, check(&some, pixels)
}

// outlined counts the pixels of masks that are drawn, and drops what cannot be.
func outlined(set *dataset.Set) []int64 {
	pixels := make([]int64, len(set.Classes))
	set.Images = slices.DeleteFunc(set.Images, func(img dataset.Image) bool {
		m, err := masks.Draw(&img)
		if err != nil {
			set.Dropf(img.File, 0, "%v", err)
			return true
		}
		for _, v := range m.Pix {
			if int(v) < len(pixels) {
				pixels[v]++
			}
		}
		return false
	})
	return pixels
}

// check fails unless a network can learn from the set.
func check(set *dataset.Set, pixels []int64) error {
	note := ""
	if n := len(set.Dropped); n > 0 {
		note = " (" + set.Dropped[0].String() + ")"
	}
	var there []string
	for c, n := range pixels {
		if n > 0 {
			there = append(there, set.Classes[c])
		}
	}
	switch {
	case len(set.Images) < 2:
		return invalid("%d pictures with masks can be used, training takes two or more%s.", len(set.Images), note)
	case len(there) < 2:
		return invalid("All pixels are of one class, %s: there is nothing to tell apart%s.", strings.Join(there, ""), note)
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
// fifth, drawn by the seed.
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
	n := max(1, int(heldOut*float64(len(s.Train))))
	return Split{Train: s.Train[n:], Validation: s.Train[:n], HeldOut: true}
}
