package jobs

import (
	"cmp"
	"slices"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/metric"
)

// minIoU is the overlap from which a box is a label's.
const minIoU = 0.5

// labelFigures are a label's figures on the test set, at its threshold.
type labelFigures struct {
	TP, FP, FN            int
	Images                int // of the test set with the label
	Precision, Recall, F1 float64
}

// figures are a model's figures on its test set. Those of the whole are means over
// labels, as in the service's own example (im-summary-file-api).
type figures struct {
	Labels                []labelFigures
	Precision, Recall, F1 float64
	Confusion             [][]float64 // truth by prediction, parts of the truth's images; nil for boxes
	AP, AR                float64     // for boxes, at IoU 0.5
}

// evaluate judges predictions on a test set. It marks in hits which predictions at or
// above their threshold are right.
func evaluate(test *dataset.Set, r custom.TrainingResult, l custom.Learning) (figures, [][]bool) {
	f := figures{Labels: make([]labelFigures, len(test.Classes))}
	hits := make([][]bool, len(test.Images))
	for i, img := range test.Images {
		p := predictionsOf(r, i)
		if l == custom.Boxes {
			one := dataset.Set{Images: []dataset.Image{img}}
			hits[i] = metric.MatchBoxes(one.Truth(), boxes(i, p), minIoU)
		} else {
			hits[i] = make([]bool, len(p))
			for j, q := range p {
				hits[i][j] = slices.Contains(img.Classes, q.Class)
			}
		}
		f.count(img, p, hits[i], r.Thresholds, l)
	}
	for c := range f.Labels {
		x := &f.Labels[c]
		x.Precision, x.Recall = ratio(x.TP, x.TP+x.FP), ratio(x.TP, x.TP+x.FN)
		if x.Precision+x.Recall > 0 {
			x.F1 = 2 * x.Precision * x.Recall / (x.Precision + x.Recall)
		}
	}
	f.average()
	if l == custom.Boxes {
		f.AP, f.AR = boxFigures(test, r)
	} else {
		f.confusion(test, r, l)
	}
	return f, hits
}

func predictionsOf(r custom.TrainingResult, image int) []custom.Prediction {
	if image < len(r.Predictions) {
		return r.Predictions[image]
	}
	return nil
}

// threshold is a class's assumed threshold; a half where the trainer gave none.
func threshold(t []float64, class int) float64 {
	if class < len(t) {
		return t[class]
	}
	return 0.5
}

// count adds an image's hits and misses to its labels.
func (f *figures) count(img dataset.Image, p []custom.Prediction, hit []bool, thresholds []float64, l custom.Learning) {
	truth := map[int]int{} // by class: boxes, or one
	for _, c := range img.Classes {
		truth[c] = 1
	}
	if l == custom.Boxes {
		clear(truth)
		for _, o := range img.Objects {
			truth[o.Class]++
		}
	}
	found := map[int]int{}
	for j, q := range p {
		if q.Score < threshold(thresholds, q.Class) {
			continue
		}
		if hit[j] {
			found[q.Class]++
		} else {
			f.Labels[q.Class].FP++
		}
	}
	for c, n := range truth {
		f.Labels[c].Images++
		f.Labels[c].TP += min(found[c], n)
		f.Labels[c].FN += max(n-found[c], 0)
	}
}

// average takes the means over the labels that the test set has.
func (f *figures) average() {
	n := 0
	for _, x := range f.Labels {
		if x.Images == 0 {
			continue
		}
		n++
		f.Precision += x.Precision
		f.Recall += x.Recall
		f.F1 += x.F1
	}
	if n > 0 {
		f.Precision, f.Recall, f.F1 = f.Precision/float64(n), f.Recall/float64(n), f.F1/float64(n)
	}
}

// confusion tells for the images of each label what was predicted: the surest label
// where images have one, every label at its threshold otherwise.
func (f *figures) confusion(test *dataset.Set, r custom.TrainingResult, l custom.Learning) {
	f.Confusion = make([][]float64, len(test.Classes))
	for c := range f.Confusion {
		f.Confusion[c] = make([]float64, len(test.Classes))
	}
	for i, img := range test.Images {
		p := predictionsOf(r, i)
		if l == custom.OneLabel && len(p) > 0 {
			p = []custom.Prediction{slices.MaxFunc(p, func(a, b custom.Prediction) int { return cmp.Compare(a.Score, b.Score) })}
		}
		for _, q := range p {
			if l == custom.ManyLabels && q.Score < threshold(r.Thresholds, q.Class) {
				continue
			}
			for _, c := range img.Classes {
				f.Confusion[c][q.Class] += 1 / float64(f.Labels[c].Images)
			}
		}
	}
}

// boxFigures returns the average precision at IoU 0.5, and the recall there of all
// predictions whatever their scores: means over the classes that have objects.
func boxFigures(test *dataset.Set, r custom.TrainingResult) (ap, ar float64) {
	var all []metric.Prediction
	found, objects := make([]int, len(test.Classes)), make([]int, len(test.Classes))
	for i, img := range test.Images {
		p := boxes(i, predictionsOf(r, i))
		all = append(all, p...)
		truth := (&dataset.Set{Images: []dataset.Image{img}}).Truth()
		for _, o := range truth {
			objects[o.Class]++
		}
		for n, hit := range metric.MatchBoxes(truth, p, minIoU) {
			if hit {
				found[p[n].Class]++
			}
		}
	}
	n := 0
	for c := range objects {
		if objects[c] > 0 {
			ar += ratio(found[c], objects[c])
			n++
		}
	}
	return metric.COCOBoxes(test.Truth(), all).AP50, ar / float64(max(n, 1))
}

// boxes are an image's predictions, each of which has its box.
func boxes(image int, p []custom.Prediction) []metric.Prediction {
	out := make([]metric.Prediction, len(p))
	for i, q := range p {
		out[i] = metric.Prediction{Image: image, Class: q.Class, Score: q.Score, Box: *q.Box}
	}
	return out
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
