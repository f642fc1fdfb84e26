package learn

import (
	"math"
	"testing"
)

func TestTemperature(t *testing.T) {
	t.Parallel()
	// Rows of logits (2, 0), of which one counts 5/6 for its class and 1/6 for the other.
	// With three of four right, class 0 is (3·5/6 + 1/6)/4 = 2/3, whose logit is log 2:
	// T = 2 / log 2. With all right it is 5/6, whose logit is log 5.
	rows := [][]float64{{2, 0}, {2, 0}, {2, 0}, {2, 0}}
	for name, tt := range map[string]struct {
		classes []int
		want    float64
	}{
		"three of four right": {[]int{0, 0, 0, 1}, 2 / math.Log(2)},
		"all right":           {[]int{0, 0, 0, 0}, 2 / math.Log(5)},
		"all wrong":           {[]int{1, 1, 1, 1}, 20},
	} {
		if got := temperature(rows, tt.classes); math.Abs(got/tt.want-1) > 1e-3 {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if got := temperature(nil, nil); got != 1 {
		t.Errorf("without samples: %v", got)
	}
}

func TestThreshold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		scores   []float64
		positive []bool
		missed   int
		want     float64
	}{
		"told apart":               {[]float64{0.9, 0.8, 0.3}, []bool{true, true, false}, 0, 0.55},
		"one wrong among them":     {[]float64{0.9, 0.8, 0.7, 0.1}, []bool{true, false, true, false}, 0, 0.4},
		"equal scores go together": {[]float64{0.9, 0.5, 0.5, 0.1}, []bool{true, true, false, false}, 0, 0.3},
		"none of the label":        {[]float64{0.9}, []bool{false}, 0, 0.5},
		"no samples":               {nil, nil, 0, 0.5},
		"all of the label":         {[]float64{0.8, 0.6}, []bool{true, true}, 0, 0.3},
		"objects that were missed": {[]float64{0.9, 0.8, 0.7}, []bool{true, false, true}, 4, 0.35},
		"all were missed":          {[]float64{0.9}, []bool{false}, 3, 0.5},
	} {
		if got := threshold(tt.scores, tt.positive, count(tt.positive)+tt.missed); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
