package onnx

import (
	"math"

	"trilobite/tensor"
)

// pointwise computes an operator that works element by element on one or two inputs
// (Min, Max and Sum on any number), broadcast to each other.
func pointwise(m *Node) (*tensor.Tensor, bool) {
	y := m.Out[0].Shape
	if len(m.In) == 0 || len(m.In) > 2 && m.Op != "Min" && m.Op != "Max" && m.Op != "Sum" || m.Op == "Clip" {
		return nil, false
	}
	for _, v := range m.In {
		if v == nil || v.DType != m.In[0].DType {
			return nil, false
		}
	}
	switch m.In[0].DType {
	case tensor.Float32:
		return floatPointwise[float32](m, y)
	case tensor.Float64:
		return floatPointwise[float64](m, y)
	case tensor.Uint64: // does not fit int64
		return nil, false
	default:
		return intPointwise(m, y)
	}
}

func floatPointwise[T float32 | float64](m *Node, y Shape) (*tensor.Tensor, bool) {
	acc, ok := stretched[T](m.In[0], y)
	if !ok {
		return nil, false
	}
	if len(m.In) == 1 {
		for i, x := range acc {
			if acc[i], ok = floatUnary(m.Op, x); !ok {
				return nil, false
			}
		}
	}
	if m.Out[0].DType == tensor.Bool {
		return floatCompare(m, y, acc)
	}
	for _, v := range m.In[1:] {
		more, ok := stretched[T](v, y)
		if !ok {
			return nil, false
		}
		for i, b := range more {
			if acc[i], ok = floatBinary(m.Op, acc[i], b); !ok {
				return nil, false
			}
		}
	}
	return tensor.Of(y, acc), true
}

func floatCompare[T float32 | float64](m *Node, y Shape, a []T) (*tensor.Tensor, bool) {
	if len(m.In) != 2 {
		return nil, false
	}
	b, ok := stretched[T](m.In[1], y)
	if !ok {
		return nil, false
	}
	out := make([]bool, len(a))
	for i := range a {
		switch m.Op {
		case "Equal":
			out[i] = a[i] == b[i]
		case "Less":
			out[i] = a[i] < b[i]
		case "LessOrEqual":
			out[i] = a[i] <= b[i]
		case "Greater":
			out[i] = a[i] > b[i]
		case "GreaterOrEqual":
			out[i] = a[i] >= b[i]
		default:
			return nil, false
		}
	}
	return tensor.Of(y, out), true
}

// stretched returns a copy of v's elements broadcast to y.
func stretched[T tensor.Elem](v *Value, y Shape) ([]T, bool) {
	data, ok := tensor.Data[T](v.Data)
	if !ok {
		return nil, false
	}
	out := make([]T, tensor.Size(y))
	if len(data) == 1 {
		for i := range out {
			out[i] = data[0]
		}
		return out, true
	}
	if tensor.Size(v.Shape) == tensor.Size(y) {
		copy(out, data)
		return out, true
	}
	pos, ok := broadcastPositions(v.Shape, y)
	if !ok {
		return nil, false
	}
	for i, p := range pos {
		out[i] = data[p]
	}
	return out, true
}

func floatUnary[T float32 | float64](op string, x T) (T, bool) {
	f := float64(x)
	switch op {
	case "Neg":
		f = -f
	case "Abs":
		f = math.Abs(f)
	case "Sqrt":
		f = math.Sqrt(f)
	case "Reciprocal":
		return 1 / x, true
	case "Floor":
		f = math.Floor(f)
	case "Ceil":
		f = math.Ceil(f)
	case "Round":
		f = math.RoundToEven(f)
	case "Exp":
		f = math.Exp(f)
	case "Log":
		f = math.Log(f)
	case "Relu":
		if f < 0 {
			f = 0
		}
	case "Sum", "Min", "Max":
	default:
		return 0, false
	}
	return T(f), true
}

func floatBinary[T float32 | float64](op string, a, b T) (T, bool) {
	switch op {
	case "Add", "Sum":
		return a + b, true
	case "Sub":
		return a - b, true
	case "Mul":
		return a * b, true
	case "Div":
		return a / b, true
	case "Pow":
		return T(math.Pow(float64(a), float64(b))), true
	case "Min":
		return min(a, b), true
	case "Max":
		return max(a, b), true
	default:
		return 0, false
	}
}

// intPointwise computes in int64 and keeps the low bits, as C does.
func intPointwise(m *Node, y Shape) (*tensor.Tensor, bool) {
	var acc []int64
	for k, v := range m.In {
		list, ok := int64s(v.Data)
		if !ok {
			return nil, false
		}
		wide := constant("", tensor.Of(v.Data.Shape, list))
		more, ok := stretched[int64](wide, y)
		if !ok {
			return nil, false
		}
		for i := range more {
			switch {
			case len(m.In) == 1:
				more[i], ok = intUnary(m.Op, more[i])
			case k > 0:
				more[i], ok = intBinary(intOp(m), acc[i], more[i])
			}
			if !ok {
				return nil, false
			}
		}
		acc = more
	}
	return fromInt64s(m.Out[0].DType, y, acc)
}

func intUnary(op string, x int64) (int64, bool) {
	switch op {
	case "Neg":
		return -x, true
	case "Abs":
		return max(x, -x), true
	case "Relu":
		return max(x, 0), true
	case "Not":
		return 1 - x, true
	case "Sum", "Min", "Max":
		return x, true
	default:
		return 0, false
	}
}

// intOp is the operator that intBinary is to compute for n: fmod of C is one of its own.
func intOp(n *Node) string {
	if n.Op == "Mod" && n.Int("fmod", 0) != 0 {
		return "FMod"
	}
	return n.Op
}

// intBinary computes on integers, and on booleans as 0 and 1. ONNX's integer Div
// cuts towards zero, Mod has the sign of what it divides by, FMod that of what is divided.
func intBinary(op string, a, b int64) (int64, bool) {
	yes := func(is bool) (int64, bool) {
		if is {
			return 1, true
		}
		return 0, true
	}
	switch op {
	case "Add", "Sum":
		return a + b, true
	case "Sub":
		return a - b, true
	case "Mul":
		return a * b, true
	case "Div":
		if b == 0 {
			return 0, false
		}
		return a / b, true
	case "Mod", "FMod":
		if b <= 0 {
			return 0, false
		}
		if r := a % b; r >= 0 || op == "FMod" {
			return r, true
		}
		return a%b + b, true
	case "Min":
		return min(a, b), true
	case "Max":
		return max(a, b), true
	case "Equal":
		return yes(a == b)
	case "Less":
		return yes(a < b)
	case "LessOrEqual":
		return yes(a <= b)
	case "Greater":
		return yes(a > b)
	case "GreaterOrEqual":
		return yes(a >= b)
	case "And":
		return a & b, true
	case "Or":
		return a | b, true
	case "Xor":
		return a ^ b, true
	default:
		return 0, false
	}
}
