package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/runs"
	"trilobite/train"
)

// TestBetter: a run that is stopped knows its best evaluation, of two as good the later.
func TestBetter(t *testing.T) {
	t.Parallel()
	var best *runs.Best
	for step, value := range []float64{0.2, math.NaN(), 0.5, 0.4, 0.5, math.Inf(1)} {
		best = better(best, train.Event{Kind: "evaluation", Epoch: step / 2, Step: int64(step), Metrics: map[string]float64{"AP": value, "AP50": 1}}, "AP")
	}
	best = better(best, train.Event{Kind: "stage", Step: 9}, "AP")
	if diff := cmp.Diff(&runs.Best{Metric: "AP", Value: 0.5, Epoch: 2, Step: 4}, best); diff != "" {
		t.Errorf("best (-want +got):\n%s", diff)
	}
}
