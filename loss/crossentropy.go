package loss

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// CrossEntropyAttrs shape a cross-entropy; zero values are PyTorch's defaults.
type CrossEntropyAttrs struct {
	// IgnoreIndex is the target that does not count, nil −100. Masks often use 255.
	IgnoreIndex *int64
	// Weights holds a weight for each class, nil 1.
	Weights []float32
	// LabelSmoothing, 0 to 1, is the share of the target that is spread evenly over all
	// classes (Szegedy et al., arXiv:1512.00567, section 7).
	LabelSmoothing float64
}

// CrossEntropy is the cross-entropy of logits x (N, C) or (N, C, H, W) and class indices
// target, int64 (N) or (N, H, W). With p = softmax(x) over C, weights w, smoothing ε and
// sums over the targets y that are not ignored:
//
//	(1−ε)·Σ −w[y]·log p[y] / Σ w[y]  +  ε/C·Σ Σ_c −w[c]·log p[c] / Σ w[y]
//
// If every target is ignored, or of weight 0, the loss is 0, where PyTorch's is NaN: a
// batch of unlabelled pixels teaches nothing and stops nothing. A target outside 0…C−1
// that is not ignored fails when the graph runs. C must be known.
func CrossEntropy(b *onnx.Builder, x, target *onnx.Value, a CrossEntropyAttrs) *onnx.Value {
	if !floats(b, "cross-entropy", x) {
		return &onnx.Value{}
	}
	if err := checkCrossEntropy(x, target, a); err != nil {
		b.Fail(fmt.Errorf("cross-entropy of %q and %q: %w", x.Name, target.Name, err))
		return &onnx.Value{}
	}
	classes := x.Shape[1]
	logp := b.LogSoftmax(x, 1)
	counts, y := validTargets(b, target, classes, a.IgnoreIndex)

	share := b.Cast(counts, x.DType) // w[y], and 0 where ignored: the shape of target
	var weights *onnx.Value          // (C)
	if a.Weights != nil {
		weights = b.Cast(b.Const("", tensor.Vector(a.Weights...)), x.DType)
		share = b.Mul(share, b.Gather(weights, y, 0))
	}
	picked := b.Squeeze(b.GatherElements(logp, b.Unsqueeze(y, 1), 1), 1)
	sum := b.ReduceSum(b.Mul(share, picked))
	if a.LabelSmoothing > 0 {
		all := logp
		if weights != nil {
			shape := slices.Repeat([]int64{1}, len(x.Shape))
			shape[1] = classes
			all = b.Mul(logp, b.Reshape(weights, shape...))
		}
		even := b.ReduceSum(b.Mul(b.Cast(counts, x.DType), b.ReduceSum(all, 1)))
		sum = b.Add(b.Mul(sum, b.Scalar(x.DType, 1-a.LabelSmoothing)),
			b.Mul(even, b.Scalar(x.DType, a.LabelSmoothing/float64(classes))))
	}
	const tiny = 1e-30 // below any sum of weights that is not 0
	return b.Neg(b.Div(sum, b.Max(b.ReduceSum(share), b.Scalar(x.DType, tiny))))
}

// validTargets returns which targets count, and the targets to gather by: 0 where they
// do not count. Negative targets, which ONNX would count from the last class, become
// classes, which is out of range.
func validTargets(b *onnx.Builder, target *onnx.Value, classes int64, ignore *int64) (counts, y *onnx.Value) {
	index := int64(-100)
	if ignore != nil {
		index = *ignore
	}
	counts = b.Not(b.Equal(target, b.Int(index)))
	y = b.Where(b.Less(target, b.Int(0)), b.Int(classes), target)
	return counts, b.Where(counts, y, b.Int(0))
}

func checkCrossEntropy(x, target *onnx.Value, a CrossEntropyAttrs) error {
	if len(x.Shape) < 2 {
		return fmt.Errorf("logits are %v, want (N, C, …)", x.Shape)
	}
	if want := slices.Delete(slices.Clone(x.Shape), 1, 2); !slices.Equal(target.Shape, want) {
		return fmt.Errorf("logits %v want a target %v, not %v", x.Shape, want, target.Shape)
	}
	if target.DType != tensor.Int64 {
		return fmt.Errorf("the target is %s, want int64", target.DType)
	}
	if !x.Shape[1:2].Static() || x.Shape[1] < 1 {
		return fmt.Errorf("logits are %v: the number of classes is not known", x.Shape)
	}
	if a.Weights != nil && int64(len(a.Weights)) != x.Shape[1] {
		return fmt.Errorf("%d weights for %d classes", len(a.Weights), x.Shape[1])
	}
	for i, w := range a.Weights {
		if !(w >= 0) {
			return fmt.Errorf("the weight of class %d is %v, want 0 or more", i, w)
		}
	}
	if !(a.LabelSmoothing >= 0 && a.LabelSmoothing <= 1) {
		return fmt.Errorf("label smoothing is %v, want 0 to 1", a.LabelSmoothing)
	}
	return nil
}
