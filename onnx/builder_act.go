package onnx

// Relu is max(X, 0).
func (b *Builder) Relu(x *Value) *Value { return b.op("Relu", nil, x) }

// LeakyRelu is X where X ≥ 0 and alpha·X elsewhere. ONNX's usual alpha is 0.01.
func (b *Builder) LeakyRelu(x *Value, alpha float32) *Value {
	return b.op("LeakyRelu", map[string]any{"alpha": alpha}, x)
}

// PRelu is X where X ≥ 0 and slope·X elsewhere; slope stretches to X's shape.
func (b *Builder) PRelu(x, slope *Value) *Value { return b.op("PRelu", nil, x, slope) }

// Elu is X where X ≥ 0 and alpha·(exp X − 1) elsewhere.
func (b *Builder) Elu(x *Value, alpha float32) *Value {
	return b.op("Elu", map[string]any{"alpha": alpha}, x)
}

// Sigmoid is 1 / (1 + exp −X).
func (b *Builder) Sigmoid(x *Value) *Value { return b.op("Sigmoid", nil, x) }

// HardSigmoid is max(0, min(1, alpha·X + beta)): alpha 0.2 and beta 0.5 by ONNX's
// default, alpha 1/6 in MobileNet V3.
func (b *Builder) HardSigmoid(x *Value, alpha, beta float32) *Value {
	return b.op("HardSigmoid", map[string]any{"alpha": alpha, "beta": beta}, x)
}

// HardSwish is X · max(0, min(1, X/6 + 0.5)).
func (b *Builder) HardSwish(x *Value) *Value { return b.op("HardSwish", nil, x) }

// Tanh is the hyperbolic tangent.
func (b *Builder) Tanh(x *Value) *Value { return b.op("Tanh", nil, x) }

// Softplus is log(1 + exp X).
func (b *Builder) Softplus(x *Value) *Value { return b.op("Softplus", nil, x) }

// Softsign is X / (1 + |X|).
func (b *Builder) Softsign(x *Value) *Value { return b.op("Softsign", nil, x) }

// Mish is X · tanh(softplus X).
func (b *Builder) Mish(x *Value) *Value { return b.op("Mish", nil, x) }

// Gelu is X · Φ(X), with Φ by the error function, or by tanh if approximate.
func (b *Builder) Gelu(x *Value, approximate bool) *Value {
	mode := "none"
	if approximate {
		mode = "tanh"
	}
	return b.op("Gelu", map[string]any{"approximate": mode}, x)
}

// Softmax is exp X / Σ exp X along one axis; -1 is the last.
func (b *Builder) Softmax(x *Value, axis int64) *Value {
	return b.op("Softmax", map[string]any{"axis": axis}, x)
}

// LogSoftmax is log(Softmax(X)) along one axis; -1 is the last.
func (b *Builder) LogSoftmax(x *Value, axis int64) *Value {
	return b.op("LogSoftmax", map[string]any{"axis": axis}, x)
}
