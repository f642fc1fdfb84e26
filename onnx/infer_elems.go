package onnx

import (
	"slices"

	"trilobite/tensor"
)

// inferElems follows the elements of small integer tensors through n, so that a
// shape that a graph computes for itself (Shape, Gather, Concat, then Reshape) is
// known, symbols included. It is called once the outputs have types and shapes.
func inferElems(n *Node) error {
	for i, v := range n.Out {
		if v == nil || v.DType == tensor.Invalid || v.DType.IsFloat() || v.DType == tensor.String ||
			!smallShape(v.Shape) {
			continue
		}
		if elems := outElems(n, i); int64(len(elems)) == tensor.Size(v.Shape) && len(elems) > 0 {
			v.elems = elems
		}
	}
	return nil
}

// smallShape reports whether s is static with at most maxElems elements.
func smallShape(s Shape) bool {
	size := productOf(s...).dim()
	return s.Static() && size >= 0 && size <= maxElems
}

// outElems returns the elements of output i, nil if nothing is known of them.
func outElems(n *Node, i int) []num {
	if i > 0 && n.Op != "Split" {
		return nil
	}
	switch n.Op {
	case "Shape":
		if x := inShape(n, 0); x != nil {
			return mapSlice(shapePart(n, x), numOf)
		}
		return nil
	case "Size":
		if x := inShape(n, 0); x != nil {
			return []num{numOf(productOf(x...).dim())}
		}
		return nil
	case "ReduceProd":
		if e, ok := elemsOf(n.Input(0)); ok && tensor.Size(n.Out[0].Shape) == 1 {
			return []num{numOf(productOf(mapSlice(e, num.size)...).dim())}
		}
		return nil
	case "Cast":
		e, _ := elemsOf(n.Input(0))
		if t := n.Out[0].DType; t == tensor.Int64 || t == tensor.Int32 {
			return e
		}
		return nil
	case "ConstantOfShape", "Range":
		return literalElems(n)
	}
	if parts, ok := moved(n); ok {
		return moveElems(n, i, parts)
	}
	return pointElems(n)
}

// literalElems computes a node whose inputs are all known numbers.
func literalElems(n *Node) []num {
	in := make([]*tensor.Tensor, len(n.In))
	for i, v := range n.In {
		if in[i] = literal(v); in[i] == nil {
			return nil
		}
	}
	out, ok := evaluate(n, in)
	if !ok || len(out) == 0 {
		return nil
	}
	list, ok := int64s(out[0])
	if !ok {
		return nil
	}
	return mapSlice(list, func(x int64) num { return num{n: x} })
}

// literal returns v as a tensor where all its elements are known numbers, else nil.
func literal(v *Value) *tensor.Tensor {
	switch {
	case v == nil:
		return nil
	case v.Data != nil:
		return v.Data
	case v.elems == nil || !v.Shape.Static():
		return nil
	}
	list, ok := numbersOf(v)
	if !ok || int64(len(list)) != tensor.Size(v.Shape) {
		return nil
	}
	t, ok := fromInt64s(v.DType, v.Shape, list)
	if !ok {
		return nil
	}
	return t
}

// moveElems is for operators whose output elements are input elements elsewhere.
func moveElems(n *Node, out int, parts []*Value) []num {
	var joined []num
	for _, v := range parts {
		e, ok := elemsOf(v)
		if !ok {
			if !smallShape(v.Shape) {
				return nil
			}
			e = slices.Repeat([]num{numOf(Unknown)}, int(tensor.Size(v.Shape)))
		}
		joined = append(joined, e...)
	}
	pos, ok := positions(n, out)
	if !ok {
		return nil
	}
	elems := make([]num, len(pos))
	for i, p := range pos {
		switch {
		case int(p) == len(joined): // Pad's default filling
			elems[i] = num{}
		case int(p) > len(joined):
			return nil
		default:
			elems[i] = joined[p]
		}
	}
	return elems
}

// pointElems is for operators that work element by element on broadcast inputs.
func pointElems(n *Node) []num {
	y := n.Out[0].Shape
	in := make([][]num, len(n.In))
	for i, v := range n.In {
		e, ok := elemsOf(v)
		if !ok || !v.Shape.Static() {
			return nil
		}
		pos, ok := broadcastPositions(v.Shape, y)
		if !ok {
			return nil
		}
		for _, p := range pos {
			in[i] = append(in[i], e[p])
		}
	}
	elems := make([]num, tensor.Size(y))
	for i := range elems {
		switch len(in) {
		case 1:
			e := in[0][i]
			v, ok := intUnary(n.Op, e.n)
			if elems[i] = (num{n: v}); e.dim || !ok {
				return nil
			}
		case 2:
			e, ok := numBinary(intOp(n), in[0][i], in[1][i])
			if elems[i] = e; !ok {
				return nil
			}
		default:
			return nil
		}
	}
	return elems
}

// numBinary computes with elements that may be dimensions, which are never negative
// but may be 0. ok is false for operators it does not know.
func numBinary(op string, a, b num) (num, bool) {
	if !a.dim && !b.dim {
		v, ok := intBinary(op, a.n, b.n)
		if !ok && slices.Contains([]string{"Div", "Mod", "FMod"}, op) {
			return num{}, false
		}
		return num{n: v}, ok
	}
	symbol := a == b && a.n != Unknown
	below := a.dim && !b.dim && b.n < 0 || b.dim && !a.dim && a.n < 0
	yes, no := num{n: 1}, num{}
	switch op {
	case "Add":
		if a == no {
			return b, true
		} else if b == no {
			return a, true
		}
	case "Sub":
		if b == no {
			return a, true
		} else if symbol {
			return no, true
		}
	case "Mul":
		if a == yes {
			return b, true
		} else if b == yes {
			return a, true
		}
	case "Div":
		if b == yes {
			return a, true
		}
	case "Max", "Min":
		if symbol {
			return a, true
		}
	case "Equal":
		if symbol {
			return yes, true
		} else if below {
			return no, true
		}
	default:
		return num{}, false
	}
	return numOf(Unknown), true
}

func mapSlice[S ~[]T, T, U any](s S, f func(T) U) []U {
	out := make([]U, len(s))
	for i, x := range s {
		out[i] = f(x)
	}
	return out
}
