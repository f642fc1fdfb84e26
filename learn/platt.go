package learn

import (
	"math"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/metric"
	"trilobite/zoo"
)

// platt fits the line that takes logits of scores to the log-odds of being right, for the
// least cross-entropy (Platt, Probabilistic outputs for support vector machines, 1999), by
// Newton's method. As there, one of n right samples counts for (n+1)/(n+2) only. Nil is no
// line: too few of either kind, or one that falls.
func platt(scores []float64, right []bool) *zoo.Calibration {
	const few = 5
	n := count(right)
	if n < few || len(right)-n < few {
		return nil
	}
	yes, no := float64(n+1)/float64(n+2), 1/float64(len(right)-n+2)
	loss := func(a, b float64) (sum float64) {
		for i, s := range scores {
			z, t := a*sigmoidLogits(s)+b, no
			if right[i] {
				t = yes
			}
			sum += max(z, 0) - z*t + math.Log1p(math.Exp(-math.Abs(z))) // −t·log p − (1−t)·log(1−p)
		}
		return sum
	}
	a, b := 1.0, 0.0
	for at := loss(a, b); ; {
		var ga, gb, haa, hab, hbb float64
		for i, s := range scores {
			x, t := sigmoidLogits(s), no
			if right[i] {
				t = yes
			}
			p := 1 / (1 + math.Exp(-a*x-b))
			w := p * (1 - p)
			ga, gb = ga+(p-t)*x, gb+p-t
			haa, hab, hbb = haa+w*x*x, hab+w*x, hbb+w
		}
		haa, hbb = haa+1e-9, hbb+1e-9 // never singular
		det := haa*hbb - hab*hab
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		step := 1.0
		for step > 1e-6 && loss(a-step*da, b-step*db) > at { // a whole step may go too far
			step /= 2
		}
		next := loss(a-step*da, b-step*db)
		if math.IsNaN(next) || next >= at-1e-12 {
			break
		}
		a, b, at = a-step*da, b-step*db, next
	}
	if a <= 0 {
		return nil
	}
	return &zoo.Calibration{Scale: a, Shift: b}
}

// calibrate puts calibrated scores in place of raw ones; their order stays.
func calibrate(c *zoo.Calibration, list []custom.Prediction) {
	if c == nil {
		return
	}
	for i := range list {
		list[i].Score = 1 / (1 + math.Exp(-c.Scale*sigmoidLogits(list[i].Score)-c.Shift))
	}
}

// judgeBoxes returns the scores of all boxes seen in images and which of them are right:
// those that have an object of their class to themselves at an IoU of 0.5.
func judgeBoxes(images []dataset.Image, seen [][]custom.Prediction) (scores []float64, right []bool) {
	for i, list := range seen {
		found := make([]metric.Prediction, len(list))
		for k, p := range list {
			found[k] = metric.Prediction{Class: p.Class, Score: p.Score, Box: *p.Box}
			scores = append(scores, p.Score)
		}
		one := dataset.Set{Images: images[i : i+1]}
		right = append(right, metric.MatchBoxes(one.Truth(), found, 0.5)...)
	}
	return scores, right
}

// boxesECE is the expected calibration error of the boxes that are seen.
func boxesECE(images []dataset.Image, seen [][]custom.Prediction) float64 {
	const bins = 15 // as for image labels
	c := metric.NewCalibration(bins)
	scores, right := judgeBoxes(images, seen)
	for i, s := range scores {
		c.Add(s, right[i])
	}
	return c.ECE()
}
