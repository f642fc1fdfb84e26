package step

import (
	"slices"

	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/tensor"
)

// giveGradients makes outputs of the gradients.
func (b *build) giveGradients(e *onnx.Builder, grads []*onnx.Value) {
	if b.ClipNorm > 0 {
		scale := optim.ClipNorm(e, grads, b.ClipNorm)
		for i, g := range grads {
			grads[i] = e.Mul(g, scale)
		}
	}
	for i, p := range b.Params {
		e.Output(p.Name+".grad", grads[i])
	}
}

// state are the inputs that an update of one parameter moves on besides it.
type state struct {
	rule     []*onnx.Value
	ema, sum *onnx.Value // nil: none
}

// update makes outputs of the parameters and their state as they will be, and slots.
func (b *build) update(e *onnx.Builder, grads []*onnx.Value) {
	lr := e.Input("lr", tensor.Float32, onnx.Shape{})
	count := e.Input("step", tensor.Int64, onnx.Shape{})
	old, states := b.inputs(e)
	var next []*onnx.Value
	if b.Accumulate > 1 {
		next = b.accumulated(e, lr, count, grads, old, states)
	} else {
		next = b.updated(e, lr, count, grads, states)
	}
	for i, v := range next {
		e.Output(old[i].Name+".new", v)
	}
}

// inputs adds the slots: parameters first, then their state. It returns the slots'
// inputs, and the same by parameter.
func (b *build) inputs(e *onnx.Builder) (all []*onnx.Value, states []state) {
	for i, p := range b.Params {
		b.slot(p.Name, b.inits[i])
		all = append(all, p)
	}
	input := func(p *onnx.Value, suffix string, init *tensor.Tensor) *onnx.Value {
		v := e.Input(p.Name+"."+suffix, p.DType, p.Shape)
		b.slot(v.Name, init)
		all = append(all, v)
		return v
	}
	for i, p := range b.Params {
		zeros, err := tensor.New(p.DType, p.Shape)
		if err != nil {
			e.Fail(err)
			return all, states
		}
		var s state
		for _, name := range b.Rule.State() {
			s.rule = append(s.rule, input(p, name, zeros))
		}
		if b.EMA > 0 {
			s.ema = input(p, "ema", b.inits[i])
		}
		if b.Accumulate > 1 {
			s.sum = input(p, "sum", zeros)
		}
		states = append(states, s)
	}
	return all, states
}

// updated returns all slots but the sums of gradients as they will be.
func (b *build) updated(e *onnx.Builder, lr, count *onnx.Value, grads []*onnx.Value, states []state) []*onnx.Value {
	var scale *onnx.Value
	if b.ClipNorm > 0 {
		scale = optim.ClipNorm(e, grads, b.ClipNorm)
	}
	params := make([]optim.Param, len(b.Params))
	for i, p := range b.Params {
		params[i] = optim.Param{Value: p, Grad: grads[i], State: states[i].rule, Scale: scale}
		if b.NoDecay != nil {
			params[i].NoDecay = b.NoDecay(p.Name)
		}
		if b.LRScale != nil {
			params[i].LRScale = b.LRScale(p.Name)
		}
	}
	next, moved := updateAll(e, b.Rule.Prepare(e, lr, count), params)
	var rest []*onnx.Value
	for i, p := range b.Params {
		rest = append(rest, moved[i]...)
		if states[i].ema != nil {
			rest = append(rest, optim.EMA(e, states[i].ema, next[i], b.EMA))
		}
		if states[i].sum != nil {
			rest = append(rest, e.ExpandTo(e.Scalar(p.DType, 0), e.Ints(p.Shape...)))
		}
	}
	return slices.Concat(next, rest)
}

// accumulated adds up the gradients of Accumulate steps and updates in the last of them;
// "step" counts micro-batches, the update's number is step / Accumulate. In the steps
// between all slots but the sums stay.
func (b *build) accumulated(e *onnx.Builder, lr, count *onnx.Value, grads, old []*onnx.Value, states []state) []*onnx.Value {
	k := e.Int(int64(b.Accumulate))
	sums := make([]*onnx.Value, len(grads))
	grown := map[*onnx.Value]*onnx.Value{}
	for i, g := range grads {
		sums[i] = optim.Accumulate(e, states[i].sum, g, b.Accumulate)
		grown[states[i].sum] = sums[i]
	}
	last := e.Equal(e.Mod(count, k), e.Int(0))

	then := e.Body("update")
	for i, v := range b.updated(then, lr, then.Div(count, k), sums, states) {
		then.Output(old[i].Name+".updated", v)
	}
	stay := e.Body("stay")
	for _, v := range old {
		name := v.Name + ".kept"
		if sum := grown[v]; sum != nil {
			v = sum
		}
		stay.Output(name, stay.Identity(v)) // a body gives what it computes itself
	}
	for _, body := range []*onnx.Builder{then, stay} {
		if err := body.Err(); err != nil {
			e.Fail(err)
		}
	}
	thenGraph, _ := then.Graph() // their errors are above
	stayGraph, _ := stay.Graph()
	return e.Op("If", []*onnx.Value{last}, map[string]any{"then_branch": thenGraph, "else_branch": stayGraph}, len(old))
}
