package classify

import (
	"math"
	"slices"
)

// softmax returns exp(x) / Σ exp(x), computed from the largest logit down so that none
// overflows, in float64. Where a logit is +∞ or no number, no score is a number, and
// so none reaches a limit.
func softmax(logits []float32) []float32 {
	if len(logits) == 0 {
		return nil
	}
	top := float64(slices.Max(logits))
	e, sum := make([]float64, len(logits)), 0.0
	for i, x := range logits {
		e[i] = math.Exp(float64(x) - top)
		sum += e[i]
	}
	out := make([]float32, len(logits))
	for i := range e {
		out[i] = float32(e[i] / sum)
	}
	return out
}

// sigmoid returns 1 / (1 + exp(−x)) of each logit, computed in float64: 0 and 1 far out,
// and no number of what is none.
func sigmoid(logits []float32) []float32 {
	out := make([]float32, len(logits))
	for i, x := range logits {
		out[i] = float32(1 / (1 + math.Exp(-float64(x))))
	}
	return out
}
