// Package optim writes the update rules that train a network as ONNX graphs, and
// computes the learning rates that are fed to them.
//
// A Rule adds nodes to an onnx.Builder: from a parameter, its gradient and the rule's
// state they compute the next parameter and the next state. Formulas and defaults are
// those of torch.optim 2.15 in their single-tensor form. Whatever is the same for all
// elements (bias corrections, learning rate times decay) is computed once per step as a
// scalar, in float64, since 1 − 0.999 keeps only four digits in float32; what is left is
// few passes over the parameter, because ONNX Runtime's CPU provider runs each
// element-wise operator as a pass of its own.
//
// Start at Rule, then sgd.go and adamw.go; clip.go has the clipping of gradients,
// average.go the averages of parameters and of gradients, schedule.go the learning
// rates. The package decides nothing about which parameters are trained or decayed: see
// package step.
package optim

import (
	"trilobite/onnx"
	"trilobite/tensor"
)

// Rule is an update rule: SGD or AdamW.
type Rule interface {
	// State names the tensors that the rule keeps for each parameter, of its shape and
	// 0 at first: "momentum" of SGD, "m" and "v" of AdamW.
	State() []string
	// Prepare returns the updates of one step, whose scalars are added to b when they
	// are first needed. lr, the learning rate, is a float scalar; step, an int64 scalar,
	// counts the updates from 1.
	Prepare(b *onnx.Builder, lr, step *onnx.Value) Update
}

// Update adds the nodes that update one parameter and returns it as it will be, and its
// state in the order of State.
type Update func(p Param) (next *onnx.Value, state []*onnx.Value)

// Param is a parameter and what an update of it needs.
type Param struct {
	Value *onnx.Value
	Grad  *onnx.Value   // of Value's type and shape
	State []*onnx.Value // of Value's type and shape, in the order of Rule.State
	// Scale is a scalar of Value's type that multiplies Grad, nil 1; a clipped gradient
	// is not computed as a tensor of its own.
	Scale *onnx.Value
	// NoDecay exempts the parameter from weight decay.
	NoDecay bool
	// LRScale multiplies the learning rate; 0 means 1.
	LRScale float64
}

// kind is what the scalars of an update depend on besides the step: parameters that
// agree in it share them.
type kind struct {
	dtype   tensor.DType
	lrScale float64
	noDecay bool
}

func kindOf(p Param) kind {
	k := kind{p.Value.DType, p.LRScale, p.NoDecay}
	if k.lrScale == 0 {
		k.lrScale = 1
	}
	return k
}

// once calls build for the first parameter of each kind and remembers what it returns.
func once[T any](build func(kind) T) func(kind) T {
	known := map[kind]T{}
	return func(k kind) T {
		v, ok := known[k]
		if !ok {
			v = build(k)
			known[k] = v
		}
		return v
	}
}

// scalars computes with float64 scalars and hands the results out in a parameter's type.
type scalars struct{ *onnx.Builder }

func (s scalars) number(v float64) *onnx.Value { return s.Scalar(tensor.Float64, v) }

// rate is the learning rate of a kind of parameters, in float64.
func (s scalars) rate(lr *onnx.Value, k kind) *onnx.Value {
	wide := s.Cast(lr, tensor.Float64)
	if k.lrScale == 1 {
		return wide
	}
	return s.Mul(wide, s.number(k.lrScale))
}

// lessThanOne is 1 − v.
func (s scalars) lessThanOne(v *onnx.Value) *onnx.Value { return s.Sub(s.number(1), v) }
