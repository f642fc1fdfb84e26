package label

import (
	"trilobite/taxonomy"
	"trilobite/zoo"
)

// vocabulary is a model's classes as labels: every label that the model can lead to,
// once, and for each class its label and that label's ancestors, by index.
type vocabulary struct {
	entries []taxonomy.Entry
	classes [][]int // the label first, then its parents, nearest first; none for a class without meaning
}

func newVocabulary(l zoo.Labels) *vocabulary {
	v := &vocabulary{classes: make([][]int, len(l.Classes))}
	index := map[string]int{}
	add := func(e taxonomy.Entry) int {
		i, known := index[e.Name]
		if !known {
			i = len(v.entries)
			index[e.Name] = i
			v.entries = append(v.entries, e)
		}
		return i
	}
	for _, e := range l.Ancestors {
		add(e)
	}
	for i, c := range l.Classes {
		if c.Name == "" {
			continue
		}
		v.classes[i] = append(v.classes[i], add(c.Label))
		for _, p := range c.Label.Parents {
			v.classes[i] = append(v.classes[i], add(taxonomy.Entry{Name: p}))
		}
	}
	return v
}

// name returns a class's label.
func (v *vocabulary) name(class int) string {
	if at := v.classes[class]; len(at) > 0 {
		return v.entries[at[0]].Name
	}
	return ""
}
