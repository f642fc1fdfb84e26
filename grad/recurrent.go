package grad

import (
	"slices"

	"trilobite/onnx"
)

// LSTM, GRU and RNN are differentiated as what they compute, written out step by step:
// backpropagation through time. The number of steps must be known and at most maxSteps;
// sequence_lens, clip and activations other than the usual ones have no rule. Letters are
// ONNX's: T steps, N sequences, I inputs, H hidden, D directions. Checked:
// testdata/recurrent.npz.
const maxSteps = 1024 // some forty nodes each

// cell is one direction of a recurrent node at work: w (I, k·H) and r (H, k·H), transposed,
// and what is added for each gate, wb and rb (k·H), nil for nothing.
type cell struct {
	*call

	w, r, wb, rb, peepholes *onnx.Value
	hidden                  int64
}

// advance computes the next hidden and cell state (N, H) from xw = X_t·w + wb and the states.
type advance func(s cell, xw, h, state *onnx.Value) (nextH, nextState *onnx.Value)

// recurrent is the definition of a recurrent operator of a number of gates.
func recurrent(gates int64, usual [][]string, next advance) func(c *call) ([]*onnx.Value, error) {
	return func(c *call) ([]*onnx.Value, error) {
		x := c.n.In[0]
		if err := c.checkRecurrent(usual); err != nil {
			return nil, err
		}
		batchFirst := c.n.Int("layout", 0) == 1
		if batchFirst {
			x = c.Transpose(x, 1, 0, 2)
		}
		directions := []bool{c.n.Str("direction", "forward") == "reverse"}
		if c.n.Str("direction", "forward") == "bidirectional" {
			directions = []bool{false, true}
		}
		var ys, hs, states []*onnx.Value
		for d, backwards := range directions {
			s := c.cell(int64(d), gates)
			y, h, state := s.unroll(x, s.initial(5, int64(d), x, batchFirst), s.initial(6, int64(d), x, batchFirst), backwards, next)
			ys, hs = append(ys, c.Unsqueeze(y, 1)), append(hs, c.Unsqueeze(h, 0))
			if state != nil {
				states = append(states, c.Unsqueeze(state, 0))
			}
		}
		outs := []*onnx.Value{c.Concat(1, ys...), c.Concat(0, hs...)} // (T, D, N, H), (D, N, H)
		if states != nil {
			outs = append(outs, c.Concat(0, states...))
		}
		if batchFirst {
			outs[0] = c.Transpose(outs[0], 2, 0, 1, 3)
			for i := range outs[1:] {
				outs[1+i] = c.Transpose(outs[1+i], 1, 0, 2)
			}
		}
		return outs, nil
	}
}

// checkRecurrent refuses what is not written out.
func (c *call) checkRecurrent(usual [][]string) error {
	x, axis := c.n.In[0], 0
	if c.n.Int("layout", 0) == 1 {
		axis = 1
	}
	activations := c.n.Strs("activations")
	known := activations == nil
	for _, u := range usual {
		known = known || slices.Equal(activations, u) || slices.Equal(activations, slices.Concat(u, u))
	}
	switch {
	case len(x.Shape) != 3 || x.Shape[axis] < 1 || x.Shape[axis] > maxSteps:
		return c.none("%v: the number of steps must be known and at most %d", x.Shape, maxSteps)
	case c.n.Input(4) != nil:
		return c.none("sequence_lens")
	case c.n.Attrs["clip"] != nil || c.n.Int("input_forget", 0) != 0:
		return c.none("clip or input_forget")
	case !known:
		return c.none("activations %q", activations)
	case len(c.n.In[2].Shape) != 3 || c.n.In[2].Shape[2] < 1:
		return c.none("R %v", c.n.In[2].Shape)
	}
	return nil
}

// cell is direction d of the node.
func (c *call) cell(d, gates int64) cell {
	pick := func(i int) *onnx.Value {
		return c.Squeeze(c.Slice(c.n.In[i], []int64{0}, []int64{d}, []int64{d + 1}), 0)
	}
	s := cell{call: c, w: c.Transpose(pick(1), 1, 0), r: c.Transpose(pick(2), 1, 0), hidden: c.n.In[2].Shape[2]}
	if c.n.Input(3) != nil {
		parts := c.Split(pick(3), 0, gates*s.hidden, gates*s.hidden)
		s.wb, s.rb = parts[0], parts[1]
	}
	if c.n.Input(7) != nil {
		s.peepholes = pick(7)
	}
	return s
}

// initial is the state before the first step, (N, H): input i, or zeros.
func (s cell) initial(i int, d int64, x *onnx.Value, batchFirst bool) *onnx.Value {
	v := s.n.Input(i)
	if v == nil {
		n := s.Slice(s.Shape(x), []int64{0}, []int64{1}, []int64{2})
		return s.ExpandTo(s.like(x, 0), s.Concat(0, n, s.Ints(s.hidden)))
	}
	axis := int64(0)
	if batchFirst {
		axis = 1
	}
	return s.Squeeze(s.Slice(v, []int64{axis}, []int64{d}, []int64{d + 1}), axis)
}

// unroll runs the steps; y (T, N, H) are the hidden states, h and state the last ones.
func (s cell) unroll(x, h, state *onnx.Value, backwards bool, next advance) (y, lastH, lastState *onnx.Value) {
	xw := s.MatMul(x, s.w)
	if s.wb != nil {
		xw = s.Add(xw, s.wb)
	}
	steps := s.Split(xw, 0, slices.Repeat([]int64{1}, int(x.Shape[0]))...)
	hs := make([]*onnx.Value, len(steps))
	for i := range steps {
		t := i
		if backwards {
			t = len(steps) - 1 - i
		}
		h, state = next(s, s.Squeeze(steps[t], 0), h, state)
		hs[t] = s.Unsqueeze(h, 0)
	}
	return s.Concat(0, hs...), h, state
}

// gates splits v (N, k·H) into k parts.
func (s cell) gates(v *onnx.Value, k int) []*onnx.Value {
	return s.Split(v, -1, slices.Repeat([]int64{s.hidden}, k)...)
}

// fromState is H·r + rb.
func (s cell) fromState(h *onnx.Value) *onnx.Value {
	v := s.MatMul(h, s.r)
	if s.rb != nil {
		v = s.Add(v, s.rb)
	}
	return v
}

// lstmStep, with the gates i, o, f, c and peepholes p for i, o, f:
//
//	i = σ(a_i + p_i·C)    f = σ(a_f + p_f·C)    C' = f·C + i·tanh(a_c)
//	o = σ(a_o + p_o·C')   H' = o·tanh(C')       a = X_t·W + H·R + biases
func lstmStep(s cell, xw, h, state *onnx.Value) (nextH, nextState *onnx.Value) {
	a := s.gates(s.Add(xw, s.fromState(h)), 4)
	p := make([]*onnx.Value, 3)
	if s.peepholes != nil {
		p = s.Split(s.peepholes, 0, s.hidden, s.hidden, s.hidden)
	}
	gate := func(i int, c *onnx.Value) *onnx.Value {
		if p[i] == nil {
			return s.Sigmoid(a[i])
		}
		return s.Sigmoid(s.Add(a[i], s.Mul(p[i], c)))
	}
	nextState = s.Add(s.Mul(gate(2, state), state), s.Mul(gate(0, state), s.Tanh(a[3])))
	return s.Mul(gate(1, nextState), s.Tanh(nextState)), nextState
}

// gruStep, with the gates z, r, h:
//
//	z = σ(x_z + H·R_z)    r = σ(x_r + H·R_r)    H' = (1 − z)·n + z·H
//	n = tanh(x_h + r·(H·R_h + b)), or tanh(x_h + (r·H)·R_h + b) if linear_before_reset is 0
func gruStep(s cell, xw, h, _ *onnx.Value) (nextH, nextState *onnx.Value) {
	x := s.gates(xw, 3)
	all := s.gates(s.fromState(h), 3)
	z, r := s.Sigmoid(s.Add(x[0], all[0])), s.Sigmoid(s.Add(x[1], all[1]))
	var n *onnx.Value
	if s.n.Int("linear_before_reset", 0) != 0 {
		n = s.Tanh(s.Add(x[2], s.Mul(r, all[2])))
	} else {
		n = s.Tanh(s.Add(x[2], s.gates(s.fromState(s.Mul(r, h)), 3)[2]))
	}
	return s.Add(s.Mul(s.Sub(s.like(z, 1), z), n), s.Mul(z, h)), nil
}

// rnnStep is H' = f(X_t·W + H·R + biases), f being tanh or ReLU.
func rnnStep(s cell, xw, h, _ *onnx.Value) (nextH, nextState *onnx.Value) {
	a := s.Add(xw, s.fromState(h))
	if activations := s.n.Strs("activations"); len(activations) > 0 && activations[0] == "Relu" {
		return s.Relu(a), nil
	}
	return s.Tanh(a), nil
}
