package tfjs

import (
	"trilobite/onnx"
	"trilobite/tensor"
)

// number is an element of a tensor that describes a shape, as far as it is known while
// converting: an integer, or the size of an axis of some value.
type number struct {
	n    int64
	dim  int64 // n is unknown, and this dimension: a symbol, or onnx.Unknown
	from source
}

// source is where a size can be read: axis of v's ONNX shape.
type source struct {
	v    *onnx.Value
	axis int64
}

// maxKnown bounds the elements that are followed; shapes have few.
const maxKnown = 1 << 12

func (x number) known() bool { return x.from.v == nil }

func (x number) same(y number) bool {
	if x.known() || y.known() {
		return x.known() && y.known() && x.n == y.n
	}
	return x.dim == y.dim && (x.dim < onnx.Unknown || x.from == y.from)
}

// dims returns the sizes of o's axes, in TensorFlow's order; nil for an unknown rank.
func (c *converter) dims(o *operand) []number {
	v, order := o.v, []int64(nil)
	if v == nil {
		v, order = o.image, nchwOf
	}
	shape := o.shape()
	if shape == nil {
		return nil
	}
	out := make([]number, len(shape))
	for i, d := range shape {
		if d >= 0 || v == nil {
			out[i] = number{n: d}
			continue
		}
		at := int64(i)
		if order != nil {
			at = order[i]
		}
		out[i] = number{dim: d, from: source{v, at}}
		if s, ok := c.source[d]; ok {
			out[i].from = s // an input: known before everything else
		}
	}
	return out
}

// numbers returns the elements of an integer tensor of rank 0 or 1, if it is known.
func (c *converter) numbers(o *operand) ([]number, bool) {
	if o.known != nil {
		return o.known, true
	}
	ints, ok := constInts(o)
	if !ok || len(o.v.Shape) > 1 || len(ints) > maxKnown {
		return nil, false
	}
	out := make([]number, len(ints))
	for i, n := range ints {
		out[i].n = n
	}
	return out, true
}

// ints returns the elements of an integer tensor of any rank that must be constant.
func (c *converter) ints(s *step, i int) []int64 {
	o := c.in(s, i)
	if ints, ok := constInts(o); ok {
		return ints
	}
	known, ok := c.numbers(o)
	out := make([]int64, len(known))
	for i, x := range known {
		ok = ok && x.known()
		out[i] = x.n
	}
	if !ok {
		c.failf("input %d is not constant", i)
	}
	return out
}

// int1 is ints for a single element.
func (c *converter) int1(s *step, i int) int64 {
	v := c.ints(s, i)
	if len(v) != 1 {
		c.failf("input %d has %d elements, not one", i, len(v))
		return 0
	}
	return v[0]
}

// constInts returns the elements of a constant of integers.
func constInts(o *operand) ([]int64, bool) {
	if o.v == nil || !o.v.IsConst() {
		return nil, false
	}
	switch d := o.v.Data.Raw().(type) {
	case []int32:
		out := make([]int64, len(d))
		for i, v := range d {
			out[i] = int64(v)
		}
		return out, true
	case []int64:
		return d, true
	default:
		return nil, false
	}
}

// numberTensor writes numbers as an int64 vector: a constant, or the sizes of axes read
// by Shape and joined.
func (c *converter) numberTensor(xs []number) *onnx.Value {
	var parts []*onnx.Value
	var run []int64
	flush := func() {
		if len(run) > 0 || len(xs) == 0 {
			parts, run = append(parts, c.b.Ints(run...)), nil
		}
	}
	for _, x := range xs {
		if x.known() {
			run = append(run, x.n)
			continue
		}
		flush()
		parts = append(parts, c.b.Op("Shape", []*onnx.Value{x.from.v}, map[string]any{"start": x.from.axis, "end": x.from.axis + 1}, 1)[0])
	}
	flush()
	if len(parts) == 1 {
		return parts[0]
	}
	return c.b.Concat(0, parts...)
}

// describe returns an operand whose elements are known, a vector or a scalar.
func describe(xs []number, scalar bool, dtype tensor.DType) *operand {
	if dtype != tensor.Int64 {
		dtype = tensor.Int32
	}
	if xs == nil {
		xs = []number{} // of no elements, but known
	}
	return &operand{known: xs, scalar: scalar, dtype: dtype}
}

// calculate applies an operation to known numbers, broadcasting a single one; false
// if the result is not known.
func calculate(op string, x, y []number) ([]number, bool) {
	n := max(len(x), len(y))
	if len(x) != n && len(x) != 1 || len(y) != n && len(y) != 1 {
		return nil, false
	}
	out := make([]number, n)
	for i := range out {
		a, b := x[i%len(x)], y[i%len(y)]
		one := number{n: 1}
		switch {
		case a.known() && b.known():
			v, ok := calculate1(op, a.n, b.n)
			if !ok {
				return nil, false
			}
			out[i].n = v
		case op == "Mul" && a.same(one):
			out[i] = b
		case b.same(one) && (op == "Mul" || op == "FloorDiv" || op == "RealDiv" || op == "Div"):
			out[i] = a
		case a.same(b) && (op == "Maximum" || op == "Minimum"):
			out[i] = a
		default:
			return nil, false
		}
	}
	return out, true
}

func calculate1(op string, a, b int64) (int64, bool) {
	const limit = 1 << 31 // TensorFlow's shapes are int32; this keeps products inside int64
	if a > limit || a < -limit || b > limit || b < -limit {
		return 0, false
	}
	switch op {
	case "Add", "AddV2":
		return a + b, true
	case "Sub":
		return a - b, true
	case "Mul":
		return a * b, true
	case "Maximum":
		return max(a, b), true
	case "Minimum":
		return min(a, b), true
	case "FloorDiv":
		if b == 0 {
			return 0, false
		}
		q := a / b
		if a%b != 0 && (a < 0) != (b < 0) {
			q--
		}
		return q, true
	default:
		return 0, false
	}
}
