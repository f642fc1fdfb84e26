package learn

import (
	"cmp"
	"math"
	"slices"
)

// temperature is the number that logits are divided by for the least cross-entropy on
// held-out samples (Guo et al., arXiv:1706.04599, section 4.2), within 0.05 and 20.
// Of N samples, each is of its class by (N+1)/(N+2) only, as Platt has it (Probabilistic
// outputs for support vector machines, 1999, section 2.2): few that are all right would
// ask for certainty. logP has the logarithms of scores, N rows of C; they serve as
// logits do. Without samples it is 1.
func temperature(logP [][]float64, classes []int) float64 {
	if len(logP) == 0 {
		return 1
	}
	own := float64(len(logP)+1) / float64(len(logP)+2)
	loss := func(log2T float64) float64 {
		sum := 0.0
		for i, row := range logP {
			rest := (1 - own) / float64(max(len(row)-1, 1))
			for c, p := range scaled(row, math.Exp2(log2T)) {
				t := rest
				if c == classes[i] {
					t = own
				}
				sum -= t * math.Log(max(p, 1e-300))
			}
		}
		return sum
	}
	lo, hi := math.Log2(0.05), math.Log2(20) // the loss has one minimum in 1/T
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
