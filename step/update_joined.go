package step

import (
	"trilobite/onnx"
	"trilobite/optim"
)

// updateAll returns the parameters and their states as they will be. Short vectors of one
// kind, the scales and biases of normalisations, are updated as one vector.
//
// Exact bit for bit, for a rule treats each element alone. An update is some ten operators,
// and each takes longer to start than to compute a short vector:
// EfficientNet-Lite0 has 99 of them.
func updateAll(e *onnx.Builder, update optim.Update, params []optim.Param) (next []*onnx.Value, moved [][]*onnx.Value) {
	next, moved = make([]*onnx.Value, len(params)), make([][]*onnx.Value, len(params))
	done := make([]bool, len(params))
	for i, p := range params {
		if done[i] {
			continue
		}
		like := []int{i}
		for k := i + 1; k < len(params) && short(p); k++ {
			if short(params[k]) && sameKind(p, params[k]) {
				like, done[k] = append(like, k), true
			}
		}
		if len(like) == 1 {
			next[i], moved[i] = update(p)
			continue
		}
		w, state := update(joined(e, params, like))
		sizes := make([]int64, len(like))
		for at, k := range like {
			sizes[at] = params[k].Value.Shape[0]
		}
		parts := e.Split(w, 0, sizes...)
		for at, k := range like {
			next[k], moved[k] = parts[at], make([]*onnx.Value, len(state))
		}
		for s, v := range state {
			parts := e.Split(v, 0, sizes...)
			for at, k := range like {
				moved[k][s] = parts[at]
			}
		}
	}
	return next, moved
}

// short reports whether p is a vector that is better updated with others.
func short(p optim.Param) bool {
	const most = 1 << 12 // elements
	shape := p.Value.Shape
	return len(shape) == 1 && 0 < shape[0] && shape[0] <= most
}

// sameKind reports whether two parameters are updated by the same numbers.
func sameKind(p, q optim.Param) bool {
	return p.Value.DType == q.Value.DType && p.NoDecay == q.NoDecay && p.LRScale == q.LRScale && p.Scale == q.Scale
}

// joined is the parameters of the given indices as one.
func joined(e *onnx.Builder, params []optim.Param, like []int) optim.Param {
	p := params[like[0]]
	values, grads := make([]*onnx.Value, len(like)), make([]*onnx.Value, len(like))
	states := make([][]*onnx.Value, len(p.State))
	for at, k := range like {
		values[at], grads[at] = params[k].Value, params[k].Grad
		for s, v := range params[k].State {
			states[s] = append(states[s], v)
		}
	}
	p.Value, p.Grad, p.State = e.Concat(0, values...), e.Concat(0, grads...), make([]*onnx.Value, len(states))
	for s, list := range states {
		p.State[s] = e.Concat(0, list...)
	}
	return p
}
