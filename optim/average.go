package optim

import "trilobite/onnx"

// EMA moves an exponential moving average on: decay·average + (1−decay)·value, of one
// shape and type. Source: torch.optim.swa_utils.get_ema_avg_fn. Start it as a copy of
// the parameter.
func EMA(b *onnx.Builder, average, value *onnx.Value, decay float64) *onnx.Value {
	return b.Add(
		b.Mul(average, b.Scalar(value.DType, decay)),
		b.Mul(value, b.Scalar(value.DType, 1-decay)),
	)
}

// Accumulate adds the gradient of one of n micro-batches to their mean so far:
// sum + g/n. It starts at 0.
func Accumulate(b *onnx.Builder, sum, g *onnx.Value, n int) *onnx.Value {
	return b.Add(sum, b.Mul(g, b.Scalar(g.DType, 1/float64(n))))
}
