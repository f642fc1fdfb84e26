package segmentation

import (
	"context"
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
