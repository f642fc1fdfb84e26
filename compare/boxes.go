package compare

import (
	"cmp"
	"slices"

	"trilobite/dataset"
	"trilobite/metric"
)

// boxRow is an image of a detection: its boxes after COCO's matching, and counts at IoU
// 0.5 of the boxes that score enough to be shown.
type boxRow struct {
	matched    metric.Matched
	tp, fp, fn float64
}

// boxes judges detections. known, where it is not nil, keeps the classes that the route
// has a word for.
func boxes(images []dataset.Image, records []*record, m *sorted, least float64, known []bool) judge {
	rows := make([]boxRow, len(images))
	for i, img := range images {
		truth, found := boxesOf(img, records[i], m, known)
		rows[i] = boxRow{matched: metric.MatchImage(truth, found)}
		rows[i].tp, rows[i].fp, rows[i].fn = counted(truth, found, least)
	}
	return sheet[boxRow]{
		title: []string{"AP", "AP50", "precision", "recall", "F1"}, rows: rows,
		reckon: func(rows []boxRow) []float64 {
			all := make([]metric.Matched, len(rows))
			var tp, fp, fn float64
			for i, r := range rows {
				all[i] = r.matched
				tp, fp, fn = tp+r.tp, fp+r.fp, fn+r.fn
			}
			ap, ap50 := metric.AP(all)
			return []float64{ap, ap50, share(tp, tp+fp), share(tp, tp+fn), share(2*tp, 2*tp+fp+fn)}
		},
	}
}

// boxesOf returns the objects of an image and the boxes that a route found there, classes
// as the set numbers them.
func boxesOf(img dataset.Image, r *record, m *sorted, known []bool) (truth []metric.Truth, found []metric.Prediction) {
	for _, o := range img.Objects {
		if known == nil || known[o.Class] {
			truth = append(truth, metric.Truth{Class: o.Class, Box: o.Box, Area: o.Area, Crowd: o.Crowd})
		}
	}
	for _, l := range r.Answer.Labels {
		if l.Box == nil {
			continue
		}
		if c := m.class(l, 0); c >= 0 && (known == nil || known[c]) {
			found = append(found, metric.Prediction{Class: c, Box: *l.Box, Score: l.Score})
		}
	}
	return truth, found
}

// counted are right, wrong and missing boxes at IoU 0.5, groups that were annotated as one
// left out.
func counted(truth []metric.Truth, found []metric.Prediction, least float64) (tp, fp, fn float64) {
	truth = slices.DeleteFunc(slices.Clone(truth), func(t metric.Truth) bool { return t.Crowd })
	found = slices.DeleteFunc(slices.Clone(found), func(p metric.Prediction) bool { return p.Score < least })
	slices.SortStableFunc(found, func(a, b metric.Prediction) int { return cmp.Compare(b.Score, a.Score) })
	for _, right := range metric.MatchBoxes(truth, found, 0.5) {
		if right {
			tp++
		} else {
			fp++
		}
	}
	return tp, fp, float64(len(truth)) - tp
}

// boxFigures are the single classes' figures: precision and recall at IoU 0.5, and AP.
func boxFigures(names []string, images []dataset.Image, records []*record, m *sorted, least float64, known []bool) []Class {
	out := make([]Class, len(names))
	for k, name := range names {
		only := make([]bool, len(names))
		only[k] = true
		var tp, fp, fn float64
		all := make([]metric.Matched, len(images))
		for i, img := range images {
			truth, found := boxesOf(img, records[i], m, only)
			all[i] = metric.MatchImage(truth, found)
			a, b, c := counted(truth, found, least)
			tp, fp, fn = tp+a, fp+b, fn+c
		}
		ap, _ := metric.AP(all)
		out[k] = Class{Name: name, Samples: int64(tp + fn), Precision: Number(share(tp, tp+fp)), Recall: Number(share(tp, tp+fn)), Main: Number(ap), Known: known[k]}
	}
	return out
}
