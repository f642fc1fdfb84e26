package optim

import "trilobite/onnx"

// SGD is stochastic gradient descent. With the gradient g, momentum μ and decay λ:
//
//	g ← g + λ·w        buf ← μ·buf + g        w ← w − lr·buf
//
// or, after Nesterov, w ← w − lr·(g + μ·buf). Without momentum buf is g. Source:
// torch/optim/sgd.py, _single_tensor_sgd, with its defaults: everything 0. PyTorch's
// first buf is g, which a buffer of 0 gives as well, there being no dampening here.
// Checked: testdata/rules.npz.
type SGD struct {
	Momentum    float64
	Nesterov    bool // has a meaning only with Momentum
	WeightDecay float64
}

// State is the buffer of the momentum, if there is any.
func (o SGD) State() []string {
	if o.Momentum == 0 {
		return nil
	}
	return []string{"momentum"}
}

// Prepare has no use for the number of the step.
func (o SGD) Prepare(b *onnx.Builder, lr, _ *onnx.Value) Update {
	s := scalars{b}
	rate := once(func(k kind) *onnx.Value {
		if k.lrScale == 1 && lr.DType == k.dtype {
			return lr
		}
		return b.Cast(s.rate(lr, k), k.dtype)
	})
	return func(p Param) (*onnx.Value, []*onnx.Value) {
		k := kindOf(p)
		k.noDecay = false // no scalar here depends on it
		return o.update(b, rate(k), p)
	}
}

// update is 2 passes over a parameter, 2 more with momentum, 2 with decay, 2 with
// Nesterov's.
func (o SGD) update(b *onnx.Builder, rate *onnx.Value, p Param) (*onnx.Value, []*onnx.Value) {
	times := func(v *onnx.Value, by float64) *onnx.Value { return b.Mul(v, b.Scalar(v.DType, by)) }
	g := p.Grad
	if p.Scale != nil {
		g = b.Mul(g, p.Scale)
	}
	if o.WeightDecay != 0 && !p.NoDecay {
		g = b.Add(g, times(p.Value, o.WeightDecay))
	}
	if o.Momentum == 0 {
		return b.Sub(p.Value, b.Mul(g, rate)), nil
	}
	buf := b.Add(times(p.State[0], o.Momentum), g)
	by := buf
	if o.Nesterov {
		by = b.Add(g, times(buf, o.Momentum))
	}
	return b.Sub(p.Value, b.Mul(by, rate)), []*onnx.Value{buf}
}
