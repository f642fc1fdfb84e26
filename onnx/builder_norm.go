package onnx

// BatchNormalization is (X − mean) / sqrt(variance + epsilon) · scale + bias per
// channel, as used after training. X (N, C, …), the others (C).
func (b *Builder) BatchNormalization(x, scale, bias, mean, variance *Value, epsilon float32) *Value {
	return b.op("BatchNormalization", map[string]any{"epsilon": epsilon}, x, scale, bias, mean, variance)
}

// BatchNormalizationTraining normalises by the batch's own mean and biased variance
// and returns the running ones moved on: running·momentum + batch·(1 − momentum).
func (b *Builder) BatchNormalizationTraining(x, scale, bias, mean, variance *Value, epsilon, momentum float32) (y, runMean, runVar *Value) {
	out := b.Op("BatchNormalization", []*Value{x, scale, bias, mean, variance},
		map[string]any{"epsilon": epsilon, "momentum": momentum, "training_mode": int64(1)}, 3)
	return out[0], out[1], out[2]
}

// InstanceNormalization normalises each channel of each sample over its spatial
// axes. X (N, C, …), scale and bias (C).
func (b *Builder) InstanceNormalization(x, scale, bias *Value, epsilon float32) *Value {
	return b.op("InstanceNormalization", map[string]any{"epsilon": epsilon}, x, scale, bias)
}

// LayerNormalization normalises over the axes from axis to the last; scale and bias
// have their shape, bias may be nil.
func (b *Builder) LayerNormalization(x, scale, bias *Value, axis int64, epsilon float32) *Value {
	return b.op("LayerNormalization", map[string]any{"axis": axis, "epsilon": epsilon}, x, scale, bias)
}

// GroupNormalization normalises groups of channels of each sample. X (N, C, …), scale
// and bias (C), as of operator set 21.
func (b *Builder) GroupNormalization(x, scale, bias *Value, groups int64, epsilon float32) *Value {
	return b.op("GroupNormalization", map[string]any{"num_groups": groups, "epsilon": epsilon}, x, scale, bias)
}

// LpNormalization divides by the norm of order p (1 or 2) along an axis.
func (b *Builder) LpNormalization(x *Value, axis, p int64) *Value {
	return b.op("LpNormalization", map[string]any{"axis": axis, "p": p}, x)
}

// Dropout sets a share ratio of X to 0 and scales the rest by 1 / (1 − ratio) where
// the bool scalar training holds, and passes X on where it does not or is nil. The
// mask tells what was kept.
func (b *Builder) Dropout(x *Value, ratio float32, training *Value) (y, mask *Value) {
	out := b.Op("Dropout", []*Value{x, b.Scalar(1, float64(ratio)), training}, nil, 2)
	return out[0], out[1]
}
