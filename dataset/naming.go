package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// Naming numbers classes by their names, for formats that keep no list of them. The zero
// value is ready.
type Naming struct {
	names  []string
	byName map[string]int
}

// Class returns the number of a name, the next one where it is new.
func (n *Naming) Class(name string) int {
	if c, ok := n.byName[name]; ok {
		return c
	}
	if n.byName == nil {
		n.byName = map[string]int{}
	}
	c := len(n.names)
	n.byName[name] = c
	n.names = append(n.names, name)
	return c
}

// Names returns the names, by class as Class numbers them.
func (n *Naming) Names() []string { return n.names }

// IgnoreValue is Set.Ignore where some pixels of masks count nowhere.
const IgnoreValue = 255

// IsIgnore reports whether a class is called what means that its pixels do not count.
func IsIgnore(name string) bool {
	switch strings.NewReplacer(" ", "", "_", "", "-", "", "'", "").Replace(strings.ToLower(name)) {
	case "unlabelled", "unlabeled", "void", "ignore", "ignored", "ignoreregion", "dontcare", "unannotated", "outofroi":
		return true
	}
	return false
}

// Color makes color stand for the class called name in the masks of s. It fails where the
// colour stands for another one.
func (n *Naming) Color(s *Set, color [3]uint8, name string) error {
	class := IgnoreValue
	if IsIgnore(name) {
		s.Ignore = IgnoreValue
	} else {
		class = n.Class(name)
	}
	if s.Colors == nil {
		s.Colors = map[[3]uint8]int{}
	}
	if before, ok := s.Colors[color]; ok && before != class {
		return fmt.Errorf("the colour #%02x%02x%02x stands for %q here and for another class before", color[0], color[1], color[2], name)
	}
	s.Colors[color] = class
	return nil
}

// Sorted returns the names in alphabetical order, and for each number that Class gave the
// place of its name in them.
func (n *Naming) Sorted() (names []string, to []int) {
	names = slices.Sorted(slices.Values(n.names))
	to = make([]int, len(n.names))
	for c, name := range n.names {
		to[c], _ = slices.BinarySearch(names, name)
	}
	return names, to
}

// Name gives s its classes, in alphabetical order, and its images and colours the numbers
// that go with it.
func (n *Naming) Name(s *Set) {
	classes, to := n.Sorted()
	s.Classes = classes
	for _, img := range s.Images {
		for i, c := range img.Classes {
			img.Classes[i] = to[c]
		}
		for i := range img.Objects {
			img.Objects[i].Class = to[img.Objects[i].Class]
		}
	}
	for color, c := range s.Colors {
		if c != s.Ignore {
			s.Colors[color] = to[c]
		}
	}
}
