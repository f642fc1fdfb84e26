package learn

import (
	"math"
	"slices"
	"testing"
)

func TestTemperature(t *testing.T) {
	t.Parallel()
	// n rows of logits (2, 0) of which a share p is of class 0: without the prior T is
	// 2 / logit(p). With it, d/dT of n·H(p, σ(2/T)) + log²T / (2·0.25²) is 0, that is,
	// n·(2/T)·(p − σ(2/T)) + log T / 0.25² = 0.
	for name, tt := range map[string]struct {
		right, wrong int
		lo, hi       float64
	}{
		"many samples decide":       {7500, 2500, 2 / math.Log(3) * 0.99, 2 / math.Log(3) * 1.01},
		"few samples, mostly wrong": {1, 3, 1.05, 1.6},
		"few samples, all right":    {4, 0, 0.8, 0.99},
		"many samples, all right":   {10000, 0, 0.05, 0.3},
		"all wrong":                 {0, 10000, 19.9, 20},
	} {
		classes := append(make([]int, tt.right), slices.Repeat([]int{1}, tt.wrong)...)
		rows := slices.Repeat([][]float64{{2, 0}}, len(classes))
		got := temperature(rows, classes)
		if got < tt.lo || got > tt.hi {
			t.Errorf("%s: %v, want %v to %v", name, got, tt.lo, tt.hi)
		}
		n, p := float64(len(classes)), float64(tt.right)/float64(len(classes))
		slope := n*2/got*(p-1/(1+math.Exp(-2/got))) + math.Log(got)/(0.25*0.25)
		if got < 19 && math.Abs(slope) > 1e-2*n { // at a limit there is one
			t.Errorf("%s: at %v the slope is %v", name, got, slope)
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
