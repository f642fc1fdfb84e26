package metric

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a confidence interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Bootstrap returns the 95 percent percentile interval of a figure over n samples, which
// it computes for rounds sets of n samples drawn with replacement; figure gets their
// indices and must not keep them. The same seed gives the same interval. Draw what was
// measured independently: images, not their pixels. n must not be 0.
// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
func Bootstrap(n, rounds int, seed uint64, figure func(samples []int) float64) Interval {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) //nolint:gosec // statistics, not secrets
	values := make([]float64, rounds)
	drawn := make([]int, n)
	for i := range values {
		for j := range drawn {
			drawn[j] = rng.IntN(n)
		}
		values[i] = figure(drawn)
	}
	slices.Sort(values)
	return Interval{Quantile(values, 0.025), Quantile(values, 0.975)}
}

// Quantile interpolates linearly between the two nearest of sorted values, as
// numpy.quantile does by default (Hyndman and Fan 1996, definition 7).
func Quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(math.Floor(at))
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
