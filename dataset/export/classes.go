package export

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"trilobite/dataset"
)

// classes takes from the set the classes that cannot be said, and brings the others into
// the order that the format gives them.
func (r *reducer) classes() error {
	s := r.set
	used := make([]bool, len(s.Classes))
	for _, img := range s.Images {
		for _, c := range img.Classes {
			used[c] = true
		}
		for _, o := range img.Objects {
			used[o.Class] = true
		}
		if img.Mask != "" { // what of them is used, pixels know
			for c := range used {
				used[c] = true
			}
		}
	}
	var keep []int
	for c, name := range s.Classes {
		switch {
		case name == "" && used[c]:
			return fmt.Errorf("class %d has no name", c)
		case name != "" && slices.Contains(s.Classes[:c], name):
			return fmt.Errorf("two classes are called %q", name)
		case used[c] || name != "" && r.can.Has(dataset.UnusedClasses):
			keep = append(keep, c)
		case name != "":
			r.losef(name, "classes that nothing is labelled with")
		}
	}
	if !r.can.Has(dataset.ClassOrder) {
		byName := func(a, b int) int { return cmp.Compare(s.Classes[a], s.Classes[b]) }
		if !slices.IsSortedFunc(keep, byName) {
			r.losef(s.Classes[keep[0]], "the order of the classes, which is the alphabet's now")
		}
		slices.SortFunc(keep, byName)
	}
	renumber(s, keep)
	return nil
}

// renumber gives the classes keep, in their order, the numbers from 0.
func renumber(s *dataset.Set, keep []int) {
	to := make(map[int]int, len(keep))
	names := make([]string, len(keep))
	for n, c := range keep {
		to[c], names[n] = n, s.Classes[c]
	}
	if s.Values == nil && s.Colors == nil { // pixels are classes, and those have other numbers now
		s.Values = map[int]int{}
		for c := range s.Classes {
			s.Values[c] = c
		}
		if s.Ignore != dataset.NoIgnore {
			s.Values[s.Ignore] = s.Ignore
		}
	}
	s.Classes = names
	s.Values, s.Colors = renumbered(s.Values, to, s.Ignore), renumbered(s.Colors, to, s.Ignore)
	for i := range s.Images {
		img := &s.Images[i]
		for k, c := range img.Classes {
			img.Classes[k] = to[c]
		}
		for k := range img.Objects {
			img.Objects[k].Class = to[img.Objects[k].Class]
		}
	}
}

// renumbered returns what colours or values stand for with new numbers of classes.
func renumbered[K comparable](m map[K]int, to map[int]int, ignore int) map[K]int {
	if m == nil {
		return nil
	}
	out := maps.Clone(m)
	for k, c := range m {
		n, kept := to[c]
		switch {
		case c == ignore:
		case kept:
			out[k] = n
		default:
			delete(out, k)
		}
	}
	return out
}
