package metric

import "math"

// Calibration compares how sure predictions are with how often they are right, in bins
// of equal width over confidences of 0 to 1. It takes samples as they come.
// Source: Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning,
// AAAI 2015; Guo et al., arXiv:1706.04599, section 2.
type Calibration struct {
	bins []CalibrationBin // and one more for confidences of exactly 1, as torchmetrics has it
}

// CalibrationBin is what fell into one bin.
type CalibrationBin struct {
	Count      int64
	Confidence float64 // mean, 0 to 1; 0 where Count is 0
	Accuracy   float64 // share that is right
}

// NewCalibration returns bins for n equal steps of confidence; 15 is usual.
func NewCalibration(n int) *Calibration { return &Calibration{bins: make([]CalibrationBin, n+1)} }

// Add counts a prediction by the confidence of its best class. Bin i holds confidences
// from i/n (included) to (i+1)/n; the last bin holds 1 too. NaN counts as 0.
func (c *Calibration) Add(confidence float64, right bool) {
	n := len(c.bins) - 1
	confidence = max(0, min(1, confidence))
	if math.IsNaN(confidence) {
		confidence = 0
	}
	i := min(int(confidence*float64(n)), n)
	if i > 0 && confidence < float64(i)/float64(n) { // the product was rounded up
		i--
	}
	b := &c.bins[i]
	b.Count++
	b.Confidence += (confidence - b.Confidence) / float64(b.Count)
	hit := 0.0
	if right {
		hit = 1
	}
	b.Accuracy += (hit - b.Accuracy) / float64(b.Count)
}

// Bins returns the n bins.
func (c *Calibration) Bins() []CalibrationBin {
	n := len(c.bins) - 1
	out := append([]CalibrationBin(nil), c.bins[:n]...)
	a, b := out[n-1], c.bins[n]
	if all := a.Count + b.Count; b.Count > 0 {
		share := float64(b.Count) / float64(all)
		out[n-1] = CalibrationBin{all, a.Confidence + (b.Confidence-a.Confidence)*share, a.Accuracy + (b.Accuracy-a.Accuracy)*share}
	}
	return out
}

// ECE returns the expected calibration error, Σ share·|accuracy − confidence| over the
// bins, 0 to 1; 0 for no samples. Confidences of exactly 1 are a bin of their own there,
// as in torchmetrics, to which it is equal.
func (c *Calibration) ECE() float64 {
	var all int64
	for _, b := range c.bins {
		all += b.Count
	}
	sum := 0.0
	for _, b := range c.bins {
		sum += ratio(b.Count, all) * math.Abs(b.Accuracy-b.Confidence)
	}
	return sum
}
