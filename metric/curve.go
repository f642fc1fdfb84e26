package metric

import (
	"cmp"
	"slices"
)

// Curve is a precision-recall curve: a point for each distinct score, from the highest
// threshold to the lowest, so that recall rises.
type Curve struct {
	Threshold, Precision, Recall []float64 // of the samples that score at least Threshold
}

// NewCurve ranks samples by score; positive says which of them are of the class. It is
// the curve of scikit-learn's precision_recall_curve and of torchmetrics, in the other
// direction and without their end point (precision 1, recall 0). Without any positive
// sample recall is 1. Scores must not be NaN.
func NewCurve(scores []float64, positive []bool) Curve {
	order := make([]int, len(scores))
	total := 0
	for i := range order {
		order[i] = i
		if positive[i] {
			total++
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	var c Curve
	tp := 0
	for n, i := range order {
		if positive[i] {
			tp++
		}
		if n+1 < len(order) && scores[order[n+1]] == scores[i] {
			continue // equal scores are one point
		}
		recall := 1.0
		if total > 0 {
			recall = float64(tp) / float64(total)
		}
		c.Threshold = append(c.Threshold, scores[i])
		c.Precision = append(c.Precision, float64(tp)/float64(n+1))
		c.Recall = append(c.Recall, recall)
	}
	return c
}

// AveragePrecision returns Σ (Rᵢ − Rᵢ₋₁)·Pᵢ, the area under the curve without
// interpolation, as scikit-learn's average_precision_score; 0 without samples.
func (c Curve) AveragePrecision() float64 {
	sum, last := 0.0, 0.0
	for i, r := range c.Recall {
		sum += (r - last) * c.Precision[i]
		last = r
	}
	return sum
}

// BestF1 returns the highest F1 on the curve and the threshold that gives it, of equal
// ones the highest threshold; 0 and 1 where F1 is 0 everywhere.
func (c Curve) BestF1() (f1, threshold float64) {
	threshold = 1
	for i, p := range c.Precision {
		if r := c.Recall[i]; p+r > 0 && 2*p*r/(p+r) > f1 {
			f1, threshold = 2*p*r/(p+r), c.Threshold[i]
		}
	}
	return f1, threshold
}
