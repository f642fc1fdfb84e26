package loss

import "math"

// Balance returns class weights for CrossEntropy, share^−power of each class, scaled so that
// the mean over all samples, or pixels, is 1; counts are theirs by class. A class without
// any weighs as much as the rarest one. Nil for power 0.
func Balance(counts []int64, power float64) []float32 {
	all, rarest := 0.0, int64(math.MaxInt64)
	for _, n := range counts {
		all += float64(n)
		if n > 0 {
			rarest = min(rarest, n)
		}
	}
	if power == 0 || all == 0 {
		return nil
	}
	sum, raw := 0.0, make([]float64, len(counts))
	for i, n := range counts {
		raw[i] = math.Pow(float64(max(n, rarest))/all, -power)
		sum += raw[i] * float64(n) / all
	}
	weights := make([]float32, len(raw))
	for i, w := range raw {
		weights[i] = float32(w / sum)
	}
	return weights
}
