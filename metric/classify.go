package metric

import "slices"

// TopK returns the share of samples whose class is among the first k of its ranking,
// best class first; 0 for no samples. Both lists have one entry per sample.
func TopK(rankings [][]int, classes []int, k int) float64 {
	if len(classes) == 0 {
		return 0
	}
	hits := 0
	for i, class := range classes {
		r := rankings[i]
		if slices.Contains(r[:min(k, len(r))], class) {
			hits++
		}
	}
	return float64(hits) / float64(len(classes))
}

// Confusion counts predictions by true and predicted class.
type Confusion struct {
	classes int
	counts  []int64 // [truth·classes + predicted]
}

// NewConfusion returns an empty matrix over classes 0 to classes−1.
func NewConfusion(classes int) *Confusion {
	return &Confusion{classes: classes, counts: make([]int64, classes*classes)}
}

// Add counts one sample. Classes outside the matrix are a bug and panic.
func (c *Confusion) Add(truth, predicted int) {
	row := c.counts[truth*c.classes : (truth+1)*c.classes]
	row[predicted]++
}

// Count returns the samples of class truth that were predicted as predicted.
func (c *Confusion) Count(truth, predicted int) int64 { return c.counts[truth*c.classes+predicted] }

// Accuracy returns the share of all samples on the diagonal; 0 for none.
func (c *Confusion) Accuracy() float64 {
	var right, all int64
	for i, n := range c.counts {
		all += n
		if i%(c.classes+1) == 0 {
			right += n
		}
	}
	return ratio(right, all)
}

// Precision returns the share of the predictions of class that are right, and 0 where
// it was never predicted.
func (c *Confusion) Precision(class int) float64 {
	var all int64
	for t := range c.classes {
		all += c.Count(t, class)
	}
	return ratio(c.Count(class, class), all)
}

// Recall returns the share of the samples of class that were found, and 0 where there
// are none.
func (c *Confusion) Recall(class int) float64 {
	var all int64
	for p := range c.classes {
		all += c.Count(class, p)
	}
	return ratio(c.Count(class, class), all)
}

// F1 returns the harmonic mean of Precision and Recall; 0 where both are 0.
func (c *Confusion) F1(class int) float64 {
	p, r := c.Precision(class), c.Recall(class)
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

func ratio(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}
