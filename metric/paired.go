package metric

import (
	"math"
	"math/rand/v2"
)

// McNemar returns the p-value of the exact two-sided McNemar test: onlyA samples are right
// by one judge alone and onlyB by the other alone. Of samples that both have right, or
// both wrong, it learns nothing. With no sample of either kind it is 1.
// Source: McNemar 1947; exact binomial form, as scipy.stats.binomtest(onlyA, onlyA+onlyB).
func McNemar(onlyA, onlyB int) float64 {
	n := onlyA + onlyB
	tail := 0.0
	for k := range min(onlyA, onlyB) + 1 {
		tail += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
	}
	return min(1, 2*tail)
}

// exactSwaps is up to how many samples every assignment is tried: 2 to the power of it.
const exactSwaps = 12

// Permutation returns the p-value of the two-sided paired permutation test of a difference
// between two judges over n samples. difference is told which samples trade places
// between the two; without any it is the difference that was measured. Up to 12 samples
// all assignments are tried, of more rounds ones drawn by the seed, and the measured one
// counts as one of them.
// Source: Good, Permutation Tests, 2000; as scipy.stats.permutation_test with
// permutation_type "samples".
func Permutation(n, rounds int, seed uint64, difference func(swap []bool) float64) float64 {
	swap := make([]bool, n)
	measured := math.Abs(difference(swap))
	least := measured * (1 - 1e-12) // sums in another order are the same
	extreme := 0
	if n <= exactSwaps {
		for bits := range 1 << n {
			for i := range swap {
				swap[i] = bits>>i&1 == 1
			}
			if math.Abs(difference(swap)) >= least {
				extreme++
			}
		}
		return float64(extreme) / float64(int(1)<<n)
	}
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) //nolint:gosec // statistics, not secrets
	for range rounds {
		for i := range swap {
			swap[i] = rng.IntN(2) == 1
		}
		if math.Abs(difference(swap)) >= least {
			extreme++
		}
	}
	return float64(extreme+1) / float64(rounds+1)
}

// Share returns the exact 95 percent interval of a share of which k of n samples were
// seen, where a bootstrap is blind: of all or none right it makes a point.
// Source: Clopper and Pearson 1934, as scipy's binomtest(k, n).proportion_ci("exact").
func Share(k, n int) Interval {
	in := Interval{0, 1}
	if k > 0 {
		in.Low = bisect(func(p float64) bool { return 1-binomialCDF(k-1, n, p) >= 0.025 })
	}
	if k < n {
		in.High = bisect(func(p float64) bool { return binomialCDF(k, n, p) <= 0.025 })
	}
	return in
}

// bisect returns where in 0 to 1 a condition begins to hold.
func bisect(holds func(float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for range 60 {
		if mid := (lo + hi) / 2; holds(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// binomialCDF is the probability of at most k of n at a chance of p each.
func binomialCDF(k, n int, p float64) float64 {
	sum := 0.0
	for i := range k + 1 {
		sum += math.Exp(logChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(1, sum)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
