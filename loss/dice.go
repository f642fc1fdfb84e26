package loss

import (
	"fmt"
	"slices"

	"trilobite/onnx"
)

// DiceAttrs shape a Dice loss.
type DiceAttrs struct {
	IgnoreIndex *int64  // the target that does not count, nil −100
	Smooth      float64 // added above and below; keeps a class that is nowhere at a loss of 0
}

// Dice is the soft Dice loss of logits x (N, C, H, W) and class indices target, int64
// (N, H, W). With p = softmax(x) over C, t the target as 0 and 1 per class, s = Smooth, and
// sums over all pixels of the batch whose target is not ignored, the mean over classes of
//
//	1 − (2·Σ p·t + s) / (Σ p + Σ t + s)
//
// Milletari et al., arXiv:1606.04797, with the sums of probabilities rather than of their
// squares, as Sudre et al., arXiv:1707.03237, equation for the Dice loss. A class without
// pixels and without Smooth counts 1, for its numerator is 0. Checked: testdata/dice.npz.
func Dice(b *onnx.Builder, x, target *onnx.Value, a DiceAttrs) *onnx.Value {
	if !floats(b, "Dice loss", x) {
		return &onnx.Value{}
	}
	if err := checkCrossEntropy(x, target, CrossEntropyAttrs{}); err != nil {
		b.Fail(fmt.Errorf("Dice loss of %q and %q: %w", x.Name, target.Name, err))
		return &onnx.Value{}
	}
	if !(a.Smooth >= 0) {
		b.Fail(fmt.Errorf("Dice loss of %q: smooth is %v, want 0 or more", x.Name, a.Smooth))
		return &onnx.Value{}
	}
	classes := x.Shape[1]
	counts, y := validTargets(b, target, classes, a.IgnoreIndex)
	weight := b.Unsqueeze(b.Cast(counts, x.DType), 1) // (N, 1, H, W)
	shape := slices.Repeat([]int64{1}, len(x.Shape))
	shape[1] = classes
	each := make([]int64, classes)
	for i := range each {
		each[i] = int64(i)
	}
	is := b.Equal(b.Unsqueeze(y, 1), b.Reshape(b.Ints(each...), shape...))
	t := b.Mul(b.Cast(is, x.DType), weight)
	p := b.Mul(b.Softmax(x, 1), weight)
	axes := []int64{0}
	for i := 2; i < len(x.Shape); i++ {
		axes = append(axes, int64(i))
	}
	of := func(v float64) *onnx.Value { return b.Scalar(x.DType, v) }
	const tiny = 1e-30 // below any sum that is not 0
	both := b.Add(b.Mul(b.ReduceSum(b.Mul(p, t), axes...), of(2)), of(a.Smooth))
	all := b.Add(b.Add(b.ReduceSum(p, axes...), b.ReduceSum(t, axes...)), of(a.Smooth))
	return b.ReduceMean(b.Sub(of(1), b.Div(both, b.Max(all, of(tiny)))))
}
