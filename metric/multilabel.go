package metric

// DecideAt is the score above which a class that is decided on its own counts as seen, as in
// torchmetrics.
const DecideAt = 0.5

// MultiLabel collects scores of samples that bear any number of classes.
type MultiLabel struct {
	scores   [][]float64 // by class, then sample
	positive [][]bool
}

// LabelFigures are a class's, precision, recall and F1 at DecideAt; all 0 to 1, and 0 where
// they would divide by 0.
type LabelFigures struct {
	Positives             int64 // samples that bear it
	AP                    float64
	Precision, Recall, F1 float64
}

// NewMultiLabel returns an empty one.
func NewMultiLabel(classes int) *MultiLabel {
	return &MultiLabel{scores: make([][]float64, classes), positive: make([][]bool, classes)}
}

// Add counts a sample: its score of each class, 0 to 1, and the classes that it bears.
func (m *MultiLabel) Add(scores []float64, bears []int) {
	for c := range m.scores {
		m.scores[c] = append(m.scores[c], scores[c])
		m.positive[c] = append(m.positive[c], false)
	}
	for _, c := range bears {
		m.positive[c][len(m.positive[c])-1] = true
	}
}

// Curve returns a class's precision-recall curve.
func (m *MultiLabel) Curve(class int) Curve { return NewCurve(m.scores[class], m.positive[class]) }

// Of returns a class's figures.
func (m *MultiLabel) Of(class int) LabelFigures {
	var f LabelFigures
	var seen, right int64
	for i, is := range m.positive[class] {
		decided := m.scores[class][i] > DecideAt
		if is {
			f.Positives++
		}
		if decided {
			seen++
		}
		if is && decided {
			right++
		}
	}
	if f.Positives > 0 {
		f.AP = m.Curve(class).AveragePrecision()
	}
	f.Precision, f.Recall, f.F1 = ratio(right, seen), ratio(right, f.Positives), ratio(2*right, seen+f.Positives)
	return f
}

// Means returns the mean AP and the mean F1 of the classes that some sample bears; 0 where
// there is none.
func (m *MultiLabel) Means() (ap, f1 float64) {
	n := 0.0
	for c := range m.scores {
		if f := m.Of(c); f.Positives > 0 {
			ap, f1, n = ap+f.AP, f1+f.F1, n+1
		}
	}
	return ap / max(n, 1), f1 / max(n, 1)
}
