package grad

import (
	"math"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Activations; each formula is dX / dY. Kinks have the derivative that PyTorch gives
// them, that of the flat side. Checked: testdata/activation*.npz.

// positive is 1 where x > 0 and 0 elsewhere. For floats that is x·1e30 limited to
// [0, 1], between 0 and 1e-30 a fraction, which no gradient notices; in float32 it is
// one operator, in 3.1 ms for 77 MB where Mul and Clip take 7.4, a comparison and a Cast
// about 6.
func (w *walk) positive(x *onnx.Value) *onnx.Value {
	switch x.DType {
	case tensor.Float32:
		return w.HardSigmoid(x, 1e30, 0)
	case tensor.Float64:
		return w.ClipTo(w.scaled(x, 1e30), 0, 1) // ONNX Runtime has no HardSigmoid of doubles
	default:
		return w.mask(w.Greater(x, w.like(x, 0)), x)
	}
}

// Relu: 1 where Y > 0, else 0.
func reluGrad(c *call, _, y, dY *onnx.Value) *onnx.Value { return c.Mul(dY, c.positive(y)) }

// LeakyRelu: 1 where X > 0, else alpha; as alpha + (1 − alpha)·[X > 0].
func leakyReluGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	alpha := float64(c.n.Float("alpha", 0.01))
	return c.Mul(dY, c.Add(c.scaled(c.positive(x), 1-alpha), c.like(x, alpha)))
}

// Elu: 1 where X > 0, else alpha·exp X = Y + alpha; as the sum of
// (1 − alpha)·[X > 0] + alpha and min(Y, 0).
func eluGrad(c *call, x, y, dY *onnx.Value) *onnx.Value {
	alpha := float64(c.n.Float("alpha", 1))
	slope := c.Add(c.Min(y, c.like(y, 0)), c.like(x, alpha))
	if alpha != 1 {
		slope = c.Add(slope, c.scaled(c.positive(x), 1-alpha))
	}
	return c.Mul(dY, slope)
}

// preluRule is the gradient of PRelu, Y = X where X > 0, else slope·X, the slope
// repeated over X's axes:
//
//	dX = dY where X > 0, else dY·slope    dSlope = ΣdY·min(X, 0)
func preluRule(c *call) error {
	x, slope, dY := c.n.In[0], c.n.In[1], c.dY[0]
	return c.both(
		func() *onnx.Value {
			rest := c.Mul(c.positive(x), c.Sub(c.like(x, 1), slope))
			return c.Mul(dY, c.Add(slope, rest))
		},
		func() *onnx.Value { return c.Mul(dY, c.Min(x, c.like(x, 0))) })
}

// Celu: 1 where X > 0, else exp(X / alpha) = Y/alpha + 1; as min(Y, 0)/alpha + 1.
func celuGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	alpha := float64(c.n.Float("alpha", 1))
	return c.Mul(dY, c.Add(c.scaled(c.Min(y, c.like(y, 0)), 1/alpha), c.like(y, 1)))
}

// Selu: gamma where X > 0, else gamma·alpha·exp X = Y + gamma·alpha. The constants are
// ONNX's.
func seluGrad(c *call, x, y, dY *onnx.Value) *onnx.Value {
	alpha, gamma := float64(c.n.Float("alpha", 1.67326319217681884765625)), float64(c.n.Float("gamma", 1.05070102214813232421875))
	slope := c.Add(c.Min(y, c.like(y, 0)), c.like(x, gamma*alpha))
	return c.Mul(dY, c.Add(slope, c.scaled(c.positive(x), gamma*(1-alpha))))
}

// ThresholdedRelu: 1 where X > alpha, else 0.
func thresholdedReluGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.positive(c.Sub(x, c.like(x, float64(c.n.Float("alpha", 1))))))
}

// clipRule is the gradient of Clip: dX is dY strictly between the limits, else 0; at a
// limit 0 as for Relu, and as for torch's relu6, where torch.clamp has 1. The limits,
// the lower one below the upper one, get what lies beyond them:
//
//	dMin = ΣdY·[X < min]    dMax = ΣdY·[X > max]
func clipRule(c *call) error {
	x, lo, hi := c.n.In[0], c.n.Input(1), c.n.Input(2)
	if c.wants(1) {
		if err := c.giveSum(1, c.Mul(c.dY[0], c.mask(c.Less(x, lo), x))); err != nil {
			return err
		}
	}
	if c.wants(2) {
		if err := c.giveSum(2, c.Mul(c.dY[0], c.mask(c.Greater(x, hi), x))); err != nil {
			return err
		}
	}
	if !c.wants(0) {
		return nil
	}
	y := c.n.Out[0] // as good as X, and what comes after keeps it anyway
	switch {
	case lo == nil && hi == nil:
		return c.give(0, c.dY[0])
	case hi == nil:
		return c.give(0, c.Mul(c.dY[0], c.mask(c.Greater(y, lo), y)))
	case lo == nil:
		return c.give(0, c.Mul(c.dY[0], c.mask(c.Less(y, hi), y)))
	}
	return c.give(0, c.Mul(c.dY[0], c.mask(c.And(c.Greater(y, lo), c.Less(y, hi)), y)))
}

// Sigmoid: Y·(1 − Y).
func sigmoidGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.Mul(y, c.Sub(c.like(y, 1), y)))
}

// HardSigmoid: alpha where 0 < Y < 1, else 0.
func hardSigmoidGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.scaled(c.within01(y), float64(c.n.Float("alpha", 0.2))))
}

// HardSwish, Y = X·S with S = HardSigmoid(X), alpha 1/6 and beta 1/2: S + X/6 where
// 0 < S < 1, else S.
func hardSwishGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	s := c.HardSigmoid(x, 1.0/6, 0.5)
	return c.Mul(dY, c.Add(s, c.Mul(c.scaled(x, 1.0/6), c.within01(s))))
}

// within01 is 1 where 0 < y < 1 and 0 elsewhere, for y from 0 to 1.
func (w *walk) within01(y *onnx.Value) *onnx.Value {
	return w.positive(w.Mul(y, w.Sub(w.like(y, 1), y)))
}

// Tanh: 1 − Y².
func tanhGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.Sub(c.like(y, 1), c.Mul(y, y)))
}

// Softplus: Sigmoid(X).
func softplusGrad(c *call, x, _, dY *onnx.Value) *onnx.Value { return c.Mul(dY, c.Sigmoid(x)) }

// Softsign, Y = X / (1 + |X|): 1 / (1 + |X|)².
func softsignGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	d := c.Add(c.Abs(x), c.like(x, 1))
	return c.Div(dY, c.Mul(d, d))
}

// Mish, Y = X·T with T = tanh(Softplus X): T + X·(1 − T²)·Sigmoid(X).
func mishGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	t := c.Tanh(c.Softplus(x))
	slope := c.Mul(c.Mul(x, c.Sub(c.like(x, 1), c.Mul(t, t))), c.Sigmoid(x))
	return c.Mul(dY, c.Add(t, slope))
}

// Erf: 2/√π · exp(−X²).
func erfGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.scaled(c.Exp(c.Neg(c.Mul(x, x))), 2/math.SqrtPi))
}

// Gelu (Hendrycks and Gimpel, arXiv:1606.08415), Y = X·Φ(X): Φ(X) + X·φ(X), with the
// normal density φ = exp(−X²/2) / √(2π). In the form with T = tanh(√(2/π)·(X + a·X³)),
// a = 0.044715: (1 + T)/2 + X/2·(1 − T²)·√(2/π)·(1 + 3a·X²).
func geluGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	one, square := c.like(x, 1), c.Mul(x, x)
	if c.n.Str("approximate", "none") == "tanh" {
		const a, k = 0.044715, 2 / math.SqrtPi * math.Sqrt2 / 2 // k = √(2/π)
		t := c.Tanh(c.scaled(c.Mul(x, c.Add(c.scaled(square, a), one)), k))
		inner := c.scaled(c.Add(c.scaled(square, 3*a), one), k)
		slope := c.Mul(c.Mul(x, c.Sub(one, c.Mul(t, t))), inner)
		return c.Mul(dY, c.scaled(c.Add(c.Add(t, one), slope), 0.5))
	}
	cdf := c.scaled(c.Add(c.Erf(c.scaled(x, math.Sqrt2/2)), one), 0.5)
	pdf := c.scaled(c.Exp(c.scaled(square, -0.5)), 1/math.Sqrt(2*math.Pi))
	return c.Mul(dY, c.Add(cdf, c.Mul(x, pdf)))
}

// Softmax: dX = Y·(dY − Σ dY·Y), the sum along the axis.
func softmaxGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	return c.Mul(y, c.Sub(dY, c.ReduceSumKeep(c.Mul(dY, y), c.n.Int("axis", -1))))
}

// LogSoftmax: dX = dY − exp Y · Σ dY, the sum along the axis.
func logSoftmaxGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	return c.Sub(dY, c.Mul(c.Exp(y), c.ReduceSumKeep(dY, c.n.Int("axis", -1))))
}
