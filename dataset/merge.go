package dataset

import "slices"

// Merge returns the pictures of all sets in one. Classes of one name are one class; they
// stand in the order in which they are met.
func Merge(sets ...*Set) *Set {
	out := &Set{Ignore: NoIgnore}
	for _, s := range sets {
		to := make([]int, len(s.Classes))
		for c, name := range s.Classes {
			if to[c] = slices.Index(out.Classes, name); to[c] < 0 {
				to[c] = len(out.Classes)
				out.Classes = append(out.Classes, name)
			}
		}
		for _, img := range s.Images {
			img.Classes, img.Objects = slices.Clone(img.Classes), slices.Clone(img.Objects)
			for i, c := range img.Classes {
				img.Classes[i] = to[c]
			}
			for i := range img.Objects {
				img.Objects[i].Class = to[img.Objects[i].Class]
			}
			out.Images = append(out.Images, img)
		}
		out.Dropped = append(out.Dropped, s.Dropped...)
		out.Clipped = append(out.Clipped, s.Clipped...)
	}
	return out
}
