package loss

import (
	"fmt"

	"trilobite/onnx"
)

// FocalAttrs shape a focal loss; the paper's are Gamma 2 and Alpha 0.25.
type FocalAttrs struct {
	// Gamma, 0 or at least 1, is how little a well classified example counts. Between 0
	// and 1 the derivative has no limit where σ(x) rounds to t, and is refused.
	Gamma float64
	// Alpha is the weight of t = 1, with 1 − Alpha for t = 0; 0 weighs neither.
	Alpha float64
}

// Focal is the focal loss of logits x and probabilities t, of any one shape, t in 0…1.
// With p = σ(x) and q = p·(1−t) + (1−p)·t, how wrong p is, the mean of
//
//	(Alpha·t + (1−Alpha)·(1−t)) · q^Gamma · BCE(x, t)
//
// Lin et al., arXiv:1708.02002, equation 5. Detectors divide by the number of matched
// boxes instead of the number of elements: multiply by the ratio.
func Focal(b *onnx.Builder, x, t *onnx.Value, a FocalAttrs) *onnx.Value {
	if !(a.Gamma == 0 || a.Gamma >= 1) || !(a.Alpha >= 0 && a.Alpha <= 1) {
		b.Fail(fmt.Errorf("focal loss of %q: gamma is %v, want 0 or at least 1; alpha is %v, want 0 to 1", x.Name, a.Gamma, a.Alpha))
	}
	if !pair(b, "focal loss", x, t) {
		return &onnx.Value{}
	}
	return b.ReduceMean(focalLosses(b, x, t, a))
}

// focalLosses is Focal of each element.
func focalLosses(b *onnx.Builder, x, t *onnx.Value, a FocalAttrs) *onnx.Value {
	one := b.Scalar(x.DType, 1)
	y := binaryCrossEntropy(b, x, t)
	if a.Gamma > 0 {
		p := b.Sigmoid(x)
		q := b.Add(b.Mul(p, b.Sub(one, t)), b.Mul(b.Sub(one, p), t))
		y = b.Mul(y, b.Pow(q, b.Scalar(x.DType, a.Gamma)))
	}
	if a.Alpha > 0 {
		w := b.Add(b.Mul(t, b.Scalar(x.DType, 2*a.Alpha-1)), b.Scalar(x.DType, 1-a.Alpha))
		y = b.Mul(y, w)
	}
	return y
}
