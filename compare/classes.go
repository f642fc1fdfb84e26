package compare

import (
	"slices"

	"trilobite/dataset"
	"trilobite/metric"
)

// imageRow is an image of a classification and what a route said of it, classes as the
// set numbers them.
type imageRow struct {
	truth  []int     // one, or any number where several labels are learned
	answer int       // the surest class that was said; len(scores): none
	scores []float64 // of each class, 0 where it was not said
}

// classRows reads the answers. An image's score of a class is that of the surest label
// which means it; below least an image has no answer.
func classRows(images []dataset.Image, records []*record, m *sorted, least float64) []imageRow {
	rows := make([]imageRow, len(images))
	for i, img := range images {
		r := imageRow{truth: img.Classes, scores: make([]float64, m.classes)}
		for _, l := range records[i].Answer.Labels {
			if c := m.class(l, 0); c >= 0 {
				r.scores[c] = max(r.scores[c], l.Score)
			}
		}
		r.answer = m.classes
		if best := slices.Max(append(r.scores, 0)); best >= least && best > 0 {
			r.answer = slices.Index(r.scores, best)
		}
		rows[i] = r
	}
	return rows
}

// oneClass judges images that have one class each. known, where it is not nil, keeps the
// images whose class the route has a word for.
func oneClass(rows []imageRow, classes int, known []bool) judge {
	if known != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r imageRow) bool { return !known[r.truth[0]] })
	}
	return sheet[imageRow]{
		title: []string{"accuracy", "precision", "recall", "F1", "mAP"}, rows: rows,
		right: func(r imageRow) bool { return r.answer == r.truth[0] },
		reckon: func(rows []imageRow) []float64 {
			c := metric.NewConfusion(classes + 1)
			right := 0
			for _, r := range rows {
				c.Add(r.truth[0], r.answer)
				if r.answer == r.truth[0] {
					right++
				}
			}
			return []float64{
				float64(right) / float64(len(rows)), over(c, classes, c.Precision), over(c, classes, c.Recall), over(c, classes, c.F1),
				meanAP(rows, classes),
			}
		},
	}
}

// over is the mean of a figure over the classes that are there, the last one, "no
// answer", left out.
func over(c *metric.Confusion, classes int, figure func(int) float64) float64 {
	sum, n := 0.0, 0
	for k := range classes {
		if c.Present(k) {
			sum, n = sum+figure(k), n+1
		}
	}
	return sum / float64(max(n, 1))
}

// meanAP is the mean over classes that images have of the area under each one's curve of
// precision by recall.
func meanAP(rows []imageRow, classes int) float64 {
	scores, positive := make([]float64, len(rows)), make([]bool, len(rows))
	sum, n := 0.0, 0
	for k := range classes {
		there := false
		for i, r := range rows {
			scores[i], positive[i] = r.scores[k], slices.Contains(r.truth, k)
			there = there || positive[i]
		}
		if there {
			sum, n = sum+metric.NewCurve(scores, positive).AveragePrecision(), n+1
		}
	}
	return sum / float64(max(n, 1))
}

// manyClasses judges images of any number of classes: what scores no less than least is said.
// Precision, recall and F1 are over all decisions together.
func manyClasses(rows []imageRow, classes int, least float64, known []bool) judge {
	counts := func(rows []imageRow) (tp, fp, fn float64) {
		for _, r := range rows {
			for k := range classes {
				if known != nil && !known[k] {
					continue
				}
				switch said, is := r.scores[k] >= least && r.scores[k] > 0, slices.Contains(r.truth, k); {
				case said && is:
					tp++
				case said:
					fp++
				case is:
					fn++
				}
			}
		}
		return tp, fp, fn
	}
	masked := rows
	if known != nil {
		masked = slices.Clone(rows)
		for i := range masked {
			masked[i].truth = slices.DeleteFunc(slices.Clone(masked[i].truth), func(k int) bool { return !known[k] })
		}
	}
	return sheet[imageRow]{
		title: []string{"mAP", "precision", "recall", "F1"}, rows: masked,
		reckon: func(rows []imageRow) []float64 {
			tp, fp, fn := counts(rows)
			return []float64{meanAP(rows, classes), share(tp, tp+fp), share(tp, tp+fn), share(2*tp, 2*tp+fp+fn)}
		},
	}
}

func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// classFigures are the single classes' figures.
func classFigures(names []string, rows []imageRow, least float64, single bool, known []bool) []Class {
	out := make([]Class, len(names))
	for k, name := range names {
		var tp, fp, fn float64
		for _, r := range rows {
			said, is := r.scores[k] >= least && r.scores[k] > 0, slices.Contains(r.truth, k)
			if single {
				said = r.answer == k
			}
			switch {
			case said && is:
				tp++
			case said:
				fp++
			case is:
				fn++
			}
		}
		out[k] = Class{Name: name, Samples: int64(tp + fn), Precision: Number(share(tp, tp+fp)), Recall: Number(share(tp, tp+fn)),
			Main: Number(share(2*tp, 2*tp+fp+fn)), Known: known[k]}
	}
	return out
}
