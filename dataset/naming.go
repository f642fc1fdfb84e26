package dataset

import "slices"

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

// Name gives s its classes, in alphabetical order, and its images and colours the numbers
// that go with it.
func (n *Naming) Name(s *Set) {
	s.Classes = slices.Sorted(slices.Values(n.names))
	to := make([]int, len(n.names))
	for c, name := range n.names {
		to[c], _ = slices.BinarySearch(s.Classes, name)
	}
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
