package compare

import (
	"cmp"
	"maps"
	"slices"
)

// sorted keeps what became of a route's labels: which class each means, how often it was
// said, and which mean none.
type sorted struct {
	m       *Matcher
	classes int
	of      map[string]Matches // by the label's name
	at      map[string]int     // class, or -1
}

func newSorted(m *Matcher) *sorted {
	return &sorted{m, len(m.classes), map[string]Matches{}, map[string]int{}}
}

// class returns the class that a label means, or -1, and counts it as said n times more.
func (s *sorted) class(l Label, n int) int {
	at, seen := s.at[l.Name]
	if !seen {
		var how How
		at, how = s.m.Class(l)
		s.at[l.Name] = at
		hit := Matches{Match: Match{Label: l.Name, How: how}}
		if at >= 0 {
			hit.Class = s.m.classes[at].name
		}
		s.of[l.Name] = hit
	}
	hit := s.of[l.Name]
	hit.Said += n
	s.of[l.Name] = hit
	return at
}

// known says of each class whether the route has a word for it: one that its vocabulary
// lists, or where nobody knows that, one that it said.
func (s *sorted) known(vocabulary []Label) []bool {
	out := make([]bool, s.classes)
	for _, l := range vocabulary {
		if at := s.class(l, 0); at >= 0 {
			out[at] = true
		}
	}
	for _, hit := range s.of {
		if at := s.at[hit.Label]; at >= 0 {
			out[at] = true
		}
	}
	return out
}

// lists returns the labels that were taken for a class and those that were said and were
// not, the ones said most often first.
func (s *sorted) lists() (matches []Matches, strangers []Count) {
	for _, name := range slices.Sorted(maps.Keys(s.of)) {
		hit := s.of[name]
		if s.at[name] >= 0 {
			matches = append(matches, hit)
		} else if hit.Said > 0 {
			strangers = append(strangers, Count{name, hit.Said})
		}
	}
	slices.SortStableFunc(matches, func(a, b Matches) int { return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(b.Said, a.Said)) })
	slices.SortStableFunc(strangers, func(a, b Count) int { return cmp.Compare(b.Said, a.Said) })
	return matches, strangers
}
