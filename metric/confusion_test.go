package metric

import (
	"math"
	"testing"
)

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

func TestAddMasksRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		truth, pred []uint8
		ignore      int
		ok          bool
	}{
		{"another size", []uint8{0}, []uint8{0, 1}, -1, false},
		{"truth outside", []uint8{0, 3}, []uint8{0, 0}, -1, false},
		{"prediction outside", []uint8{0, 1}, []uint8{0, 3}, -1, false},
		{"the ignored truth may be outside", []uint8{0, 255}, []uint8{0, 1}, 255, true},
		{"what is predicted there does not matter", []uint8{0, 255}, []uint8{0, 9}, 255, true},
	}
	for _, tt := range tests {
		c := NewConfusion(3)
		err := c.AddMasks(tt.truth, tt.pred, tt.ignore)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := c.Accuracy(); got != map[bool]float64{true: 1, false: 0}[tt.ok] {
			t.Errorf("%s: accuracy %v: counted in part", tt.name, got)
		}
	}
}
