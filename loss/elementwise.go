package loss

import (
	"fmt"

	"trilobite/onnx"
)

// BCEWithLogits is the binary cross-entropy of logits x and probabilities t, of any one
// shape, t in 0…1:
//
//	mean of −t·log σ(x) − (1−t)·log(1−σ(x)) = (1−t)·x + log(1 + exp(−x))
//
// The form on the right does not overflow, and its gradient σ(x) − t holds at 0 too.
func BCEWithLogits(b *onnx.Builder, x, t *onnx.Value) *onnx.Value {
	if !pair(b, "binary cross-entropy", x, t) {
		return &onnx.Value{}
	}
	return b.ReduceMean(binaryCrossEntropy(b, x, t))
}

// binaryCrossEntropy is BCEWithLogits of each element.
func binaryCrossEntropy(b *onnx.Builder, x, t *onnx.Value) *onnx.Value {
	linear := b.Mul(b.Sub(b.Scalar(x.DType, 1), t), x)
	return b.Add(linear, b.Softplus(b.Neg(x)))
}

// MSE is the mean of (x − t)², x and t of any one shape.
func MSE(b *onnx.Builder, x, t *onnx.Value) *onnx.Value {
	if !pair(b, "mean squared error", x, t) {
		return &onnx.Value{}
	}
	d := b.Sub(x, t)
	return b.ReduceMean(b.Mul(d, d))
}

// SmoothL1 is, with d = x − t, x and t of any one shape, and beta > 0, the mean of
//
//	d²/(2·beta)     where |d| < beta
//	|d| − beta/2    elsewhere
//
// (Girshick, arXiv:1504.08083, equation 3, there with beta 1, PyTorch's default). With
// c, d cut to ±beta, both are c·(d − c/2)/beta, which needs neither Abs nor Where.
func SmoothL1(b *onnx.Builder, x, t *onnx.Value, beta float64) *onnx.Value {
	if !(beta > 0) {
		b.Fail(fmt.Errorf("smooth L1 of %q: beta is %v, want more than 0", x.Name, beta))
	}
	if !pair(b, "smooth L1", x, t) {
		return &onnx.Value{}
	}
	d := b.Sub(x, t)
	c := b.ClipTo(d, -beta, beta)
	rest := b.Sub(d, b.Mul(c, b.Scalar(x.DType, 0.5)))
	return b.Mul(b.ReduceMean(b.Mul(c, rest)), b.Scalar(x.DType, 1/beta))
}
