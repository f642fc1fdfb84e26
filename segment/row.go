package segment

import "math"

// row fills the rows of a mask, one after the other, with memory of its own.
type row struct {
	sampling

	logits bool
	values []float32 // (C, w): the output between the two of its rows around the mask's
	best   []uint8   // the class of the largest at each of the output's columns
	top    []float32 // the score of the class at each of the mask's columns
	sum    []float32 // of e^(score − top) over the classes
}

func newRow(s sampling, logits bool) *row {
	return &row{
		sampling: s, logits: logits, values: make([]float32, len(s.m.Labels)*s.w), best: make([]uint8, s.w),
		top: make([]float32, s.m.W), sum: make([]float32, s.m.W),
	}
}

// fill fills row i from the output d (C, h, w).
func (r *row) fill(i int, d []float32) {
	y := r.y[i]
	for c := range r.m.Labels {
		plane := d[c*r.w*r.h : (c+1)*r.w*r.h]
		above, below, to := plane[y.a*r.w:(y.a+1)*r.w], plane[y.b*r.w:(y.b+1)*r.w], r.class(c)
		for x := range to {
			to[x] = above[x] + (below[x]-above[x])*y.t
		}
	}
	r.decide(i)
}

// decide fills row i from the values.
func (r *row) decide(i int) {
	r.findBest()
	class := r.m.Class[i*r.m.W : (i+1)*r.m.W]
	for j, x := range r.x {
		// Scores are straight lines between two columns: what is largest at both ends is
		// largest between them.
		if class[j] = r.best[x.a]; r.best[x.b] != class[j] {
			class[j] = r.bestAt(x)
		}
	}
	if r.m.Confidence != nil {
		r.confidence(class, r.m.Confidence[i*r.m.W:(i+1)*r.m.W])
	}
}

// class returns the scores of a class.
func (r *row) class(c int) []float32 { return r.values[c*r.w : (c+1)*r.w] }

// findBest finds the class of the largest score of each column; the first of equals, and 0
// where none is a number.
func (r *row) findBest() {
	clear(r.best)
	for c := 1; c < len(r.m.Labels); c++ {
		for x, v := range r.class(c) {
			if largest := r.values[int(r.best[x])*r.w+x]; !(largest >= v) && v == v { // also where largest is no number
				r.best[x] = uint8(c)
			}
		}
	}
}

// bestAt is the class of the largest score between two columns.
func (r *row) bestAt(x neighbours) uint8 {
	best, largest := 0, x.of(r.class(0))
	for c := 1; c < len(r.m.Labels); c++ {
		if v := x.of(r.class(c)); !(largest >= v) && v == v {
			best, largest = c, v
		}
	}
	return uint8(best)
}

// confidence writes the probability of each class, 0 to 255; 0 where its score is no
// number.
func (r *row) confidence(class, to []uint8) {
	for j, x := range r.x {
		r.top[j] = x.of(r.class(int(class[j])))
	}
	if !r.logits {
		for j, p := range r.top {
			to[j] = level(p)
		}
		return
	}
	clear(r.sum)
	for c := range r.m.Labels {
		scores := r.class(c)
		for j, x := range r.x {
			if d := x.of(scores) - r.top[j]; d > lowest { // less is 2e-9 and does not show
				r.sum[j] += exp(min(d, 0))
			}
		}
	}
	for j, sum := range r.sum {
		to[j] = 0
		if sum >= 1 {
			to[j] = level(1 / sum)
		}
	}
}

func level(p float32) uint8 { return uint8(max(0, min(1, p))*255 + 0.5) }

// The table of e^x from lowest to 0, and how many of its steps make 1.
const (
	lowest  = -20
	expStep = 256
)

// exps[i] is e^(−i/expStep).
var exps = func() (table [-lowest*expStep + 2]float32) {
	for i := range table {
		table[i] = float32(math.Exp(-float64(i) / expStep))
	}
	return table
}()

// exp is e^x for x from lowest to 0, to 2e-6 of its value: straight lines between the
// table's points, off by x²/8 of a step.
func exp(x float32) float32 {
	at := -x * expStep
	i := int(at)
	return exps[i] + (exps[i+1]-exps[i])*(at-float32(i))
}
