package evaluate

import (
	"trilobite"
	"trilobite/dataset"
	"trilobite/metric"
)

// Several are the figures of a classifier that decides on each class by itself, on the
// images that bear any class of the set.
type Several struct {
	Images int     `json:"images"`
	MAP    float64 `json:"map"` // means over the classes that some image bears, 0 to 1
	F1     float64 `json:"mean_f1"`
	Labels []Label `json:"labels"` // by class of the set
}

// Label is how a classifier does on one class that it decides on by itself: average
// precision over all scores, the others above a score of 0.5; 0 to 1.
type Label struct {
	Name      string  `json:"name"`
	Images    int64   `json:"images"` // that bear it
	AP        float64 `json:"ap"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// severalOf measures answers; a class that the model does not know, or did not answer,
// scores 0.
func severalOf(seen []*trilobite.Analysis, set *dataset.Set, to map[int]int) *Several {
	m := metric.NewMultiLabel(len(set.Classes))
	out := &Several{Labels: []Label{}}
	for i, a := range seen {
		if len(set.Images[i].Classes) == 0 && !set.Images[i].Negative {
			continue
		}
		scores := make([]float64, len(set.Classes))
		for _, c := range a.Classifications {
			if class, ok := to[c.Class]; ok && class < len(scores) {
				scores[class] = float64(c.Score)
			}
		}
		m.Add(scores, set.Images[i].Classes)
		out.Images++
	}
	for c, name := range set.Classes {
		f := m.Of(c)
		if name == "" && f.Positives == 0 {
			continue // an unused number
		}
		out.Labels = append(out.Labels, Label{name, f.Positives, f.AP, f.Precision, f.Recall, f.F1})
	}
	out.MAP, out.F1 = m.Means()
	return out
}
