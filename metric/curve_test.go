package metric

import (
	"math"
	"testing"
)

func TestBestF1(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		scores        []float64
		positive      []bool
		f1, threshold float64
	}{
		{"apart", []float64{0.9, 0.8, 0.2}, []bool{true, true, false}, 1, 0.8},
		{"one wrong on top", []float64{0.9, 0.8, 0.2}, []bool{false, true, false}, 2.0 / 3, 0.8},
		{"nothing to find", []float64{0.9}, []bool{false}, 0, 1},
		{"no samples", nil, nil, 0, 1},
	}
	for _, tt := range tests {
		f1, threshold := NewCurve(tt.scores, tt.positive).BestF1()
		if math.Abs(f1-tt.f1) > 1e-12 || threshold != tt.threshold {
			t.Errorf("%s: F1 %v at %v, want %v at %v", tt.name, f1, threshold, tt.f1, tt.threshold)
		}
	}
}

func TestCalibrationBins(t *testing.T) {
	t.Parallel()
	c := NewCalibration(2)
	c.Add(0.25, false)
	c.Add(0.5, true) // an edge belongs to the bin above
	c.Add(1, true)
	c.Add(1, false)
	c.Add(math.NaN(), false)
	c.Add(7, true) // no probability: counted as 1
	got := c.Bins()
	if len(got) != 2 || got[0] != (CalibrationBin{2, 0.125, 0}) || got[1].Count != 4 || math.Abs(got[1].Confidence-0.875) > 1e-12 || math.Abs(got[1].Accuracy-0.75) > 1e-12 {
		t.Errorf("bins %+v", got)
	}
	if e := NewCalibration(15).ECE(); e != 0 {
		t.Errorf("ECE of nothing is %v", e)
	}
}

// TestBootstrap checks the interval of a mean against the normal approximation, and
// that a seed says all.
func TestBootstrap(t *testing.T) {
	t.Parallel()
	const n = 400
	meanOf := func(samples []int) float64 {
		sum := 0
		for _, i := range samples {
			sum += i % 2 // variance 1/4
		}
		return float64(sum) / n
	}
	got := Bootstrap(n, 4000, 1, meanOf)
	half := 1.96 * 0.5 / math.Sqrt(n)
	if math.Abs(got.Low-(0.5-half)) > 0.006 || math.Abs(got.High-(0.5+half)) > 0.006 {
		t.Errorf("interval %v, want 0.5 ± %.3f", got, half)
	}
	if again := Bootstrap(n, 4000, 1, meanOf); again != got {
		t.Errorf("the same seed gives %v and %v", got, again)
	}
	if one := Bootstrap(1, 10, 3, func([]int) float64 { return 0.25 }); one != (Interval{0.25, 0.25}) {
		t.Errorf("one sample: %v", one)
	}
}
