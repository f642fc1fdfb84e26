package optim

import (
	"trilobite/onnx"
	"trilobite/tensor"
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).
// With the gradient g and the update's number t from 1:
//
//	m ← β1·m + (1−β1)·g        v ← β2·v + (1−β2)·g²
//	w ← (1 − lr·decay)·w − lr/(1−β1ᵗ) · m / (√v / √(1−β2ᵗ) + ε)
//
// Source: torch/optim/adam.py, _single_tensor_adam with decoupled_weight_decay; amsgrad
// and maximize are left out. NewAdamW has PyTorch's defaults. Checked: testdata/rules.npz.
type AdamW struct {
	Beta1, Beta2 float64 // 0 ≤ β < 1
	Epsilon      float64
	WeightDecay  float64
}

// NewAdamW returns the rule with the defaults of torch.optim.AdamW: β 0.9 and 0.999, ε
// 1e-8, decay 1e-2.
func NewAdamW() AdamW {
	return AdamW{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-2}
}

// State is the running mean of the gradient and of its square.
func (AdamW) State() []string { return []string{"m", "v"} }

// adamScalars are the numbers of one step. The root of the second bias correction is
// moved out of the fraction, which saves a pass and divides by no learning rate:
//
//	lr/(1−β1ᵗ) · m / (√v/c + ε) = lr·c/(1−β1ᵗ) · m / (√v + ε·c)      c = √(1−β2ᵗ)
type adamScalars struct {
	rate, epsilon, keep *onnx.Value // lr·c/(1−β1ᵗ), ε·c, 1 − lr·decay; keep is nil without decay
}

// Prepare computes the bias corrections.
func (a AdamW) Prepare(b *onnx.Builder, lr, step *onnx.Value) Update {
	s := scalars{b}
	t := b.Cast(step, tensor.Float64)
	first := s.lessThanOne(b.Pow(s.number(a.Beta1), t))
	c := b.Sqrt(s.lessThanOne(b.Pow(s.number(a.Beta2), t)))
	of := once(func(k kind) adamScalars {
		rate := s.rate(lr, k)
		r := adamScalars{
			rate:    b.Cast(b.Div(b.Mul(rate, c), first), k.dtype),
			epsilon: b.Cast(b.Mul(s.number(a.Epsilon), c), k.dtype),
		}
		if a.WeightDecay != 0 && !k.noDecay {
			r.keep = b.Cast(s.lessThanOne(b.Mul(rate, s.number(a.WeightDecay))), k.dtype)
		}
		return r
	})
	return func(p Param) (*onnx.Value, []*onnx.Value) { return a.update(b, of(kindOf(p)), p) }
}

// update is 12 passes over a parameter that is decayed, 11 over one that is not.
func (a AdamW) update(b *onnx.Builder, s adamScalars, p Param) (*onnx.Value, []*onnx.Value) {
	dtype := p.Value.DType
	of := func(v float64) *onnx.Value { return b.Scalar(dtype, v) }
	g, scale := p.Grad, of(1-a.Beta1)
	second := of((1 - a.Beta2) / ((1 - a.Beta1) * (1 - a.Beta1)))
	if p.Scale != nil {
		scale = b.Mul(scale, p.Scale)
	}
	u := b.Mul(g, scale) // (1−β1)·g, from which (1−β2)·g² follows too
	m := b.Add(b.Mul(p.State[0], of(a.Beta1)), u)
	v := b.Add(b.Mul(p.State[1], of(a.Beta2)), b.Mul(b.Mul(u, u), second))
	w := p.Value
	if s.keep != nil {
		w = b.Mul(w, s.keep)
	}
	w = b.Sub(w, b.Mul(b.Div(m, b.Add(b.Sqrt(v), s.epsilon)), s.rate))
	return w, []*onnx.Value{m, v}
}
