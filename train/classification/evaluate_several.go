package classification

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"trilobite/classify"
	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/metric"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/runs"
)

// scored is what the network says of a picture of any number of classes.
type scored struct {
	picture dataset.Image
	scores  []float64 // by class, 0 to 1
	class   int       // the one that is most wrongly decided; -1: all are right
	thumb   []byte
}

// bears reports whether the picture truly has a class.
func (s scored) bears(class int) bool { return slices.Contains(s.picture.Classes, class) }

// EvaluateSeveral is Evaluate of a network that decides on each class by itself, by a
// sigmoid of its logit.
func EvaluateSeveral(ctx context.Context, rt *ort.Runtime, set *dataset.Set, s pipeline.Spec, g *onnx.Graph, o ort.Options) (*runs.Evaluation, error) {
	answers, err := askAll(ctx, rt, set, classify.Config{Pipeline: s, Decoder: "sigmoid", Labels: set.Classes}, g, o, askEach)
	if err != nil {
		return nil, err
	}
	return severalFigures(set.Classes, answers), nil
}

// askEach shows a picture to the network and looks for its surest mistake.
func askEach(ctx context.Context, k *classify.Classifier, p dataset.Image, img *imageio.Image) (*scored, error) {
	seen, err := k.Classify(ctx, img, 0, 0)
	if err != nil {
		return nil, err
	}
	a := &scored{picture: p, scores: make([]float64, len(k.Labels())), class: -1}
	for _, c := range seen {
		a.scores[c.Class] = float64(c.Score)
	}
	for c, score := range a.scores {
		if (score > metric.DecideAt) != a.bears(c) && (a.class < 0 || a.off() < math.Abs(score-metric.DecideAt)) {
			a.class = c
		}
	}
	if a.class >= 0 {
		a.thumb, err = thumb(img)
	}
	return a, err
}

// off is how far the score of the mistake is from the decision.
func (s scored) off() float64 { return math.Abs(s.scores[s.class] - metric.DecideAt) }

func severalFigures(classes []string, answers []*scored) *runs.Evaluation {
	m := metric.NewMultiLabel(len(classes))
	var wrong []*scored
	for _, a := range answers {
		m.Add(a.scores, a.picture.Classes)
		if a.class >= 0 {
			wrong = append(wrong, a)
		}
	}
	ap, f1 := m.Means()
	e := &runs.Evaluation{
		Images: len(answers), Columns: []string{"AP", "F1", "precision", "recall"},
		Figures: []runs.Figure{{Name: "mAP", Value: runs.Number(ap)}, {Name: "mean F1", Value: runs.Number(f1)}},
	}
	for c, name := range classes {
		f := m.Of(c)
		row := runs.ClassFigures{Name: name, Samples: f.Positives}
		for _, v := range []float64{f.AP, f.F1, f.Precision, f.Recall} {
			if f.Positives == 0 {
				v = math.NaN()
			}
			row.Values = append(row.Values, runs.Number(v))
		}
		e.Classes = append(e.Classes, row)
		if f.Positives > 0 {
			curve := m.Curve(c)
			e.Curves = append(e.Curves, runs.Curve{Class: name, AP: runs.Number(f.AP), Recall: curve.Recall, Precision: curve.Precision})
		}
	}
	slices.SortStableFunc(wrong, func(a, b *scored) int { return cmp.Compare(b.off(), a.off()) })
	for _, a := range wrong[:min(mostWorst, len(wrong))] {
		var truth, found []string
		for c, name := range classes {
			if a.bears(c) {
				truth = append(truth, name)
			}
			if a.scores[c] > metric.DecideAt {
				found = append(found, name)
			}
		}
		e.Worst = append(e.Worst, runs.Picture{
			File: a.picture.File, Note: fmt.Sprintf("%s scores %.0f%%", classes[a.class], 100*a.scores[a.class]),
			Truth: strings.Join(truth, ", "), Predicted: strings.Join(found, ", "), Image: a.thumb,
		})
	}
	return e
}
