package metric

import (
	"math"
	"testing"
)

func TestTopK(t *testing.T) {
	t.Parallel()
	rankings := [][]int{{2, 0, 1}, {1, 2}, {0}, {}}
	classes := []int{0, 1, 2, 0}
	tests := []struct {
		name string
		k    int
		want float64
	}{
		{"best only", 1, 0.25},
		{"two best", 2, 0.5},
		{"more than there are", 9, 0.5},
		{"none", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := TopK(rankings, classes, tt.k); got != tt.want {
				t.Errorf("TopK(%d) = %v, want %v", tt.k, got, tt.want)
			}
		})
	}
	if got := TopK(nil, nil, 1); got != 0 {
		t.Errorf("no samples: %v, want 0", got)
	}
}

func TestConfusion(t *testing.T) {
	t.Parallel()
	c := NewConfusion(3)
	// Class 0: 2 of 3 found; class 1: 1 of 1, once predicted wrongly; class 2: never there.
	for _, s := range [][2]int{{0, 0}, {0, 0}, {0, 1}, {1, 1}} {
		c.Add(s[0], s[1])
	}
	tests := []struct {
		name      string
		got, want float64
	}{
		{"accuracy", c.Accuracy(), 0.75},
		{"precision of 0", c.Precision(0), 1},
		{"recall of 0", c.Recall(0), 2.0 / 3},
		{"F1 of 0", c.F1(0), 0.8},
		{"precision of 1", c.Precision(1), 0.5},
		{"recall of 1", c.Recall(1), 1},
		{"never predicted is not NaN", c.Precision(2), 0},
		{"never there is not NaN", c.Recall(2), 0},
		{"neither is not NaN", c.F1(2), 0},
		{"empty matrix is not NaN", NewConfusion(2).Accuracy(), 0},
	}
	for _, tt := range tests {
		if math.Abs(tt.got-tt.want) > 1e-15 {
			t.Errorf("%s = %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if got := c.Count(0, 1); got != 1 {
		t.Errorf("Count(0, 1) = %d, want 1", got)
	}
}
