package dataset

import (
	"fmt"
	"strings"
)

// CheckClassification fails unless a classifier can learn from the set: at least two
// classes, each with a picture that is not set aside for validation or test.
func (s *Set) CheckClassification() error {
	counts := make([]int, len(s.Classes))
	all := 0
	for _, img := range s.Images {
		if img.Split != "" && img.Split != Train {
			continue
		}
		for _, c := range img.Classes {
			counts[c]++
			all++
		}
	}
	var empty, used []string
	for c, n := range counts {
		switch {
		case n > 0:
			used = append(used, s.Classes[c])
		case s.Classes[c] != "":
			empty = append(empty, s.Classes[c])
		}
	}
	switch {
	case all == 0:
		return fmt.Errorf("no labelled pictures to train on%s", s.droppedNote())
	case len(empty) > 0:
		return fmt.Errorf("no pictures to train on for %s%s: add some, or remove the class", quoted(empty), s.droppedNote())
	case len(used) < 2:
		return fmt.Errorf("all pictures are of one class, %q: a classifier needs at least two", used[0])
	}
	return nil
}

// droppedNote points to what was left out, if that was something.
func (s *Set) droppedNote() string {
	if n := len(s.Dropped); n > 0 {
		return fmt.Sprintf(" (%d left out, the first: %s)", n, s.Dropped[0])
	}
	return ""
}

// quoted lists names, the first few of many.
func quoted(names []string) string {
	const most = 5
	var b strings.Builder
	for i, n := range names[:min(most, len(names))] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", n)
	}
	if len(names) > most {
		fmt.Fprintf(&b, " and %d more", len(names)-most)
	}
	return b.String()
}
