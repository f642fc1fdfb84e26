package optim

import (
	"math"
	"testing"

	"trilobite/tensor"
)

// Whole curves against torch.optim.lr_scheduler.
func TestSchedules(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/schedules.npz")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]Schedule{
		"constant":      Constant(0.3),
		"step":          Step{Rate: 0.3, Gamma: 0.2, Every: 7},
		"poly":          Poly{Rate: 0.3, Steps: 30, Power: 0.9},
		"cosine":        Cosine{Rate: 0.3, Min: 0.01, Steps: 30},
		"one_cycle":     NewOneCycle(0.3, 50),
		"one_cycle_odd": OneCycle{Peak: 0.3, Steps: 17, Start: 0.25, Div: 10, FinalDiv: 100},
		"warm_up":       WarmUp{Then: Cosine{Rate: 0.3, Steps: 20}, Steps: 5, From: 0.01},
	}
	if len(golden) != len(tests)+2 {
		t.Errorf("%d curves for %d schedules", len(golden)-2, len(tests))
	}
	for name, s := range tests {
		want, _ := tensor.Data[float64](golden[name])
		if len(want) == 0 {
			t.Errorf("%s has no curve", name)
		}
		for i, w := range want {
			if got := s.LR(int64(i + 1)); !(math.Abs(got-w) <= 1e-12) {
				t.Errorf("%s: step %d: got %v, want %v", name, i+1, got, w)
			}
		}
	}
}

// Steps outside the curve, and curves of few steps, have finite rates.
func TestScheduleEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		s    Schedule
		step int64
		want float64
	}{
		{"before the first step", Cosine{Rate: 1, Steps: 5}, -3, 1},
		{"cosine stays at its minimum", Cosine{Rate: 1, Min: 0.1, Steps: 5}, 99, 0.1},
		{"poly ends at 0", Poly{Rate: 1, Steps: 5, Power: 0.9}, 99, 0},
		{"one cycle stays at its last rate", NewOneCycle(1, 10), 99, 1 / 25e4},
		{"one cycle of one step", NewOneCycle(1, 1), 1, 1 / 25e4},
		{"one cycle that starts at its peak", OneCycle{Peak: 1, Steps: 4, Start: 0.25, Div: 25, FinalDiv: 1e4}, 1, 1},
		{"one cycle that ends at its peak", OneCycle{Peak: 1, Steps: 4, Start: 1, Div: 25, FinalDiv: 1e4}, 4, 1},
		{"warm-up of no steps", WarmUp{Then: Constant(2), From: 0.1}, 1, 2},
		{"step of no length", Step{Rate: 1, Gamma: 0.5}, 3, 0.25},
	}
	for _, tt := range tests {
		if got := tt.s.LR(tt.step); !(math.Abs(got-tt.want) <= 1e-12) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
