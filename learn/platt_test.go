package learn

import (
	"math"
	"testing"
)

func TestPlatt(t *testing.T) {
	t.Parallel()
	// Of 100 boxes at 0.9 half are right, of 100 at 0.2 a tenth: the line goes through the
	// log-odds of both, where each of the 60 counts 61/62 and each of the others 1/142.
	var scores []float64
	var right []bool
	for i := range 200 {
		s, ok := 0.9, i%2 == 0
		if i >= 100 {
			s, ok = 0.2, i%10 == 0
		}
		scores, right = append(scores, s), append(right, ok)
	}
	yes, no := 61.0/62, 1.0/142
	for score, share := range map[float64]float64{0.9: 0.5*yes + 0.5*no, 0.2: 0.1*yes + 0.9*no} {
		c := platt(scores, right)
		got := 1 / (1 + math.Exp(-c.Scale*math.Log(score/(1-score))-c.Shift))
		if math.Abs(got-share) > 1e-6 {
			t.Errorf("%v becomes %v, want %v", score, got, share)
		}
	}
	falling := make([]bool, len(right))
	for i := range right {
		falling[i] = i >= 100 && i%2 == 0 || i == 1 || i == 3 || i == 5
	}
	for name, r := range map[string][]bool{"none is right": make([]bool, 200), "surer is worse": falling} {
		if c := platt(scores, r); c != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
