package metric

import "slices"

// TopK returns the share of samples whose class is among the first k of its ranking,
// best class first; 0 for no samples. Both lists have one entry per sample.
func TopK(rankings [][]int, classes []int, k int) float64 {
	if len(classes) == 0 {
		return 0
	}
	hits := 0
	for i, class := range classes {
		r := rankings[i]
		if slices.Contains(r[:min(k, len(r))], class) {
			hits++
		}
	}
	return float64(hits) / float64(len(classes))
}
