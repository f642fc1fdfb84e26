package evaluate

import (
	"fmt"
	"slices"
	"strings"

	"trilobite"
	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/zoo"
)

// Comparable fails where nothing in a set is what the model answers: no picture is
// labelled for its task, or no class is one of its own. It returns the set's classes that
// the model does not know.
func Comparable(m Model, set *dataset.Set, byIndex bool) (unmatched []string, err error) {
	what, there := "is labelled with a class", func(img dataset.Image) bool { return len(img.Classes) > 0 || img.Negative }
	switch m.Task {
	case zoo.Detect:
		what, there = "has a box", func(img dataset.Image) bool { return len(img.Objects) > 0 }
	case zoo.Segment:
		what, there = "has a mask or outlines", func(img dataset.Image) bool {
			return img.Mask != "" || slices.ContainsFunc(img.Objects, func(o dataset.Object) bool { return o.Outlined() })
		}
	}
	if !slices.ContainsFunc(set.Images, there) {
		return nil, invalidf("None of %d pictures %s, and %s answers nothing else: there is nothing to measure.", len(set.Images), what, m.Ref)
	}
	to, unmatched := match(m.Labels, set.Classes, byIndex)
	return unmatched, related(to, set.Classes, m.Labels)
}

// related fails where no class of a set but the background is one of a model's.
func related(to map[int]int, classes []string, l zoo.Labels) error {
	for _, class := range to {
		if class < len(classes) && classes[class] != masks.Background {
			return nil
		}
	}
	return invalidf("No class of the data set is one of the model's: it has %s, the model %s. Classes are paired by name, which `trilobite models import --labels` gives them.",
		some(classes), some(l.Names()))
}

// some lists the first names.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

func invalidf(format string, args ...any) error {
	return &trilobite.Error{Op: "evaluate", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
}
