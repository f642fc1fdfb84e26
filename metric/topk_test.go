package metric

import "testing"

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
