package metric

import "fmt"

// Confusion counts samples, or pixels, by true and predicted class. It takes them as
// they come and needs memory for the counts alone; matrices of parts add up.
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

// AddMasks counts the pixels of two masks of the same size. Pixels whose truth is ignore
// (-1: none) count for nothing. Nothing is counted when a class is outside the matrix.
func (c *Confusion) AddMasks(truth, predicted []uint8, ignore int) error {
	if len(truth) != len(predicted) {
		return fmt.Errorf("comparing masks: %d pixels of truth, %d predicted", len(truth), len(predicted))
	}
	var pairs [256][256]int64
	for i, t := range truth {
		pairs[t][predicted[i]]++
	}
	for t := range pairs {
		for p, n := range pairs[t] {
			if n > 0 && t != ignore && (t >= c.classes || p >= c.classes) {
				return fmt.Errorf("comparing masks: class %d predicted as %d, there are %d classes", t, p, c.classes)
			}
		}
	}
	for t := range min(c.classes, len(pairs)) {
		for p := range min(c.classes, len(pairs)) {
			if t != ignore {
				c.counts[t*c.classes+p] += pairs[t][p]
			}
		}
	}
	return nil
}

// Merge adds another matrix over the same classes.
func (c *Confusion) Merge(o *Confusion) {
	for i, n := range o.counts {
		c.counts[i] += n
	}
}

// Classes returns how many classes there are.
func (c *Confusion) Classes() int { return c.classes }

// Count returns the samples of class truth that were predicted as predicted.
func (c *Confusion) Count(truth, predicted int) int64 { return c.counts[truth*c.classes+predicted] }

// Truth returns the samples of a class, TP + FN.
func (c *Confusion) Truth(class int) int64 {
	var all int64
	for p := range c.classes {
		all += c.Count(class, p)
	}
	return all
}

// Predicted returns the samples that were predicted as a class, TP + FP.
func (c *Confusion) Predicted(class int) int64 {
	var all int64
	for t := range c.classes {
		all += c.Count(t, class)
	}
	return all
}

// Accuracy returns the share of all samples on the diagonal, of pixels the pixel
// accuracy; 0 for none.
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

// Precision returns TP / (TP + FP), the share of the predictions of class that are
// right, and 0 where it was never predicted.
func (c *Confusion) Precision(class int) float64 {
	return ratio(c.Count(class, class), c.Predicted(class))
}

// Recall returns TP / (TP + FN), the share of the samples of class that were found, and
// 0 where there are none.
func (c *Confusion) Recall(class int) float64 {
	return ratio(c.Count(class, class), c.Truth(class))
}

// F1 returns 2·TP / (2·TP + FP + FN), the harmonic mean of Precision and Recall, and of
// pixels the Dice coefficient; 0 where the class is absent.
func (c *Confusion) F1(class int) float64 {
	return ratio(2*c.Count(class, class), c.Truth(class)+c.Predicted(class))
}

// IoU returns TP / (TP + FP + FN), the Jaccard index; 0 where the class is absent.
func (c *Confusion) IoU(class int) float64 {
	tp := c.Count(class, class)
	return ratio(tp, c.Truth(class)+c.Predicted(class)-tp)
}

// Present reports whether the class is in the truth or among the predictions.
func (c *Confusion) Present(class int) bool { return c.Truth(class)+c.Predicted(class) > 0 }

// Mean returns the mean of a figure, such as c.IoU, over the classes that are Present;
// 0 where none is.
func (c *Confusion) Mean(figure func(class int) float64) float64 {
	var m mean
	for class := range c.classes {
		if c.Present(class) {
			m.add(figure(class))
		}
	}
	return max(0, m.value())
}

// MeanIoU returns mIoU, the mean IoU of the classes that are Present.
func (c *Confusion) MeanIoU() float64 { return c.Mean(c.IoU) }

func ratio(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}
