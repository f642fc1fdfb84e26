package label

import (
	"cmp"
	"slices"
	"strings"

	"trilobite"
	"trilobite/geom"
	"trilobite/taxonomy"
	"trilobite/zoo"
)

// sameObject is the IoU above which two models' boxes of one label are one object:
// the threshold that COCO-SSD suppresses its own duplicates at.
const sameObject = 0.6

// answer is what one model said of an image.
type answer struct {
	labels     *zoo.Labels
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
		ancestors := map[string]taxonomy.Entry{}
		for _, e := range a.labels.Ancestors {
			ancestors[e.Name] = e
		}
		for _, d := range a.detections {
			m.detection(a.labels.Classes[d.Class].Label, d, ancestors)
		}
		m.classification(a, ancestors)
	}
	out := make([]trilobite.Label, 0, len(m.labels))
	for _, l := range m.labels {
		if l.Score >= minScore {
			l.Instances = unique(l.Instances)
			out = append(out, *l)
		}
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

func (m *merger) detection(e taxonomy.Entry, d trilobite.Detection, ancestors map[string]taxonomy.Entry) {
	l := m.raise(e, d.Score)
	l.Instances = append(l.Instances, trilobite.Instance{Box: d.Box, Score: d.Score})
	for _, p := range e.Parents {
		m.raise(ancestors[p], d.Score)
	}
}

// classification adds each class's probability to its label and to every ancestor.
func (m *merger) classification(a answer, ancestors map[string]taxonomy.Entry) {
	sums := map[string]float32{}
	entries := map[string]taxonomy.Entry{}
	for _, c := range a.classes {
		e := a.labels.Classes[c.Class].Label
		if e.Name == "" {
			continue
		}
		sums[e.Name] += c.Score
		entries[e.Name] = e
		for _, p := range e.Parents {
			sums[p] += c.Score
			if _, own := entries[p]; !own {
				entries[p] = ancestors[p]
			}
		}
	}
	for name, sum := range sums {
		m.raise(entries[name], min(sum, 1))
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
