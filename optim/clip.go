package optim

import "trilobite/onnx"

// ClipNorm returns the scalar that all gradients are multiplied by so that their norm
// as one vector is at most limit, a number above 0:
//
//	min(1, limit / (√Σ g² + 1e-6))
//
// Source: torch.nn.utils.clip_grad_norm_ with norm_type 2. The gradients are of one float
// type, which the result has. A gradient that is not finite makes the result NaN or 0, as there.
// Checked: testdata/rules.npz.
func ClipNorm(b *onnx.Builder, grads []*onnx.Value, limit float64) *onnx.Value {
	squares := make([]*onnx.Value, len(grads))
	for i, g := range grads {
		squares[i] = b.Op("ReduceSumSquare", []*onnx.Value{g}, map[string]any{"keepdims": int64(0)}, 1)[0]
	}
	norm := b.Sqrt(b.Sum(squares...))
	of := func(v float64) *onnx.Value { return b.Scalar(grads[0].DType, v) }
	return b.Min(b.Div(of(limit), b.Add(norm, of(1e-6))), of(1))
}
