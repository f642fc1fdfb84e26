package learn

import (
	"cmp"
	"math"
	"slices"
)

// usualLog2T is the standard deviation of the binary logarithm of temperatures before any
// sample was seen, e^±0.25: what was best of 0, 0.25, 0.5, 1 and Platt's targets on seven data
// sets (bench/RESULTS.md).
const usualLog2T = 0.25 / math.Ln2

// temperature is the number that logits are divided by for the least cross-entropy on
// held-out samples (Guo et al., arXiv:1706.04599, section 4.2), within 0.05 and 20, where
// log T is drawn from a normal distribution around 0: the cross-entropy of few samples that
// are all right would fall for ever with T. logP has the logarithms of scores, N rows of C;
// they serve as logits do. Without samples it is 1.
func temperature(logP [][]float64, classes []int) float64 {
	if len(logP) == 0 {
		return 1
	}
	loss := func(log2T float64) float64 {
		sum := log2T * log2T / (2 * usualLog2T * usualLog2T)
		for i, row := range logP {
			sum -= math.Log(max(scaled(row, math.Exp2(log2T))[classes[i]], 1e-300))
		}
		return sum
	}
	lo, hi := math.Log2(0.05), math.Log2(20)
	const golden = 0.6180339887498949
	for hi-lo > 1e-4 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if loss(a) < loss(b) {
			hi = b
		} else {
			lo = a
		}
	}
	return math.Exp2((lo + hi) / 2)
}

// scaled is the softmax of a row divided by t.
func scaled(row []float64, t float64) []float64 {
	out := make([]float64, len(row))
	most := slices.Max(row)
	sum := 0.0
	for i, v := range row {
		out[i] = math.Exp((v - most) / t)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// threshold is the score of the best F1 on held-out samples: half-way between the last
// sample that it lets in and the first that it keeps out, in the middle of the best
// stretch. all is how many of the label there are, those without a score included: a
// detector misses some. With none of the label it is a half.
func threshold(scores []float64, positive []bool, all int) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	if all == 0 {
		return 0.5
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	best, at, right := 0.0, 0.5, 0
	for n, i := range order {
		if positive[i] {
			right++
		}
		next := 0.0
		if n+1 < len(order) {
			next = scores[order[n+1]]
		}
		if next == scores[i] {
			continue // no threshold tells the two apart
		}
		if f1 := 2 * float64(right) / float64(n+1+all); f1 > best {
			best, at = f1, (scores[i]+next)/2
		}
	}
	return at
}

func count(list []bool) int {
	n := 0
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}
