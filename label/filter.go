package label

import (
	"slices"
	"strings"

	"trilobite"
)

// filter keeps the labels that f lets through, and at most n of them (0: all).
func filter(labels []trilobite.Label, f trilobite.LabelFilter, n int) []trilobite.Label {
	kept := slices.DeleteFunc(labels, func(l trilobite.Label) bool { return !allows(f, l) })
	if n > 0 && len(kept) > n {
		kept = kept[:n]
	}
	return kept
}

// allows reports whether the filter lets a label through: it must be in an inclusion
// list, by name or by category, if there is any, and in no exclusion list.
func allows(f trilobite.LabelFilter, l trilobite.Label) bool {
	name := []string{l.Name}
	if overlap(f.Exclude, name) || overlap(f.ExcludeCategories, l.Categories) {
		return false
	}
	if len(f.Include) == 0 && len(f.IncludeCategories) == 0 {
		return true
	}
	return overlap(f.Include, name) || overlap(f.IncludeCategories, l.Categories)
}

// overlap reports whether a and b share a string, in any case.
func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return strings.EqualFold(x, y) })
	})
}
