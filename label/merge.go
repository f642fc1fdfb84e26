package label

import (
	"cmp"
	"slices"
	"strings"

	"trilobite"
	"trilobite/geom"
	"trilobite/taxonomy"
)

// sameObject is the IoU above which two models' boxes of one label are one object:
// the threshold that COCO-SSD suppresses its own duplicates at.
const sameObject = 0.6

// answer is what one model said of an image.
type answer struct {
	words      *vocabulary
	detections []trilobite.Detection
	classes    []trilobite.Classification // every class, not only the likely ones
}

// merger gathers the answers of several models about one image under the taxonomy's
// names.
type merger struct {
	labels map[string]*trilobite.Label
}

// merge turns answers into labels: one per name, with the highest score any model
// gave it, ancestors included, best first. An ancestor of something detected is as
// sure as the surest detection under it; an ancestor of classes is as sure as the
// classes under it together, since a classifier's scores are probabilities of
// exclusive classes. Labels under minScore are left out.
func merge(answers []answer, minScore float32) []trilobite.Label {
	m := merger{labels: map[string]*trilobite.Label{}}
	for _, a := range answers {
		for _, d := range a.detections {
			if d.Score >= minScore {
				m.detection(a.words, d)
			}
		}
		m.classification(a, minScore)
	}
	out := make([]trilobite.Label, 0, len(m.labels))
	for _, l := range m.labels {
		l.Instances = unique(l.Instances)
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b trilobite.Label) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Name, b.Name))
	})
	return out
}

// raise records a label with at least the given score.
func (m *merger) raise(e taxonomy.Entry, score float32) *trilobite.Label {
	l, ok := m.labels[e.Name]
	if !ok {
		l = &trilobite.Label{Name: e.Name, Parents: e.Parents, Aliases: e.Aliases, Categories: e.Categories}
		m.labels[e.Name] = l
	}
	l.Score = max(l.Score, score)
	return l
}

func (m *merger) detection(v *vocabulary, d trilobite.Detection) {
	for i, at := range v.classes[d.Class] {
		l := m.raise(v.entries[at], d.Score)
		if i == 0 {
			l.Instances = append(l.Instances, trilobite.Instance{Box: d.Box, Score: d.Score})
		}
	}
}

// classification adds each class's probability to its label and to every ancestor.
func (m *merger) classification(a answer, minScore float32) {
	if len(a.classes) == 0 {
		return
	}
	sums := make([]float32, len(a.words.entries))
	for _, c := range a.classes {
		for _, at := range a.words.classes[c.Class] {
			sums[at] += c.Score
		}
	}
	for at, sum := range sums {
		if sum > 0 && sum >= minScore {
			m.raise(a.words.entries[at], min(sum, 1))
		}
	}
}

// unique drops instances that another model boxed as well, keeping the surer box;
// the rest come best first.
func unique(all []trilobite.Instance) []trilobite.Instance {
	if len(all) == 0 {
		return nil
	}
	boxes := make([]geom.Box, len(all))
	scores := make([]float32, len(all))
	for i, in := range all {
		boxes[i], scores[i] = in.Box, in.Score
	}
	kept := make([]trilobite.Instance, 0, len(all))
	for _, i := range geom.NMS(boxes, scores, sameObject) {
		kept = append(kept, all[i])
	}
	return kept
}
