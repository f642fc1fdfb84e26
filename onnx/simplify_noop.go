package onnx

import (
	"slices"

	"trilobite/tensor"
)

// removeNoOps drops nodes whose output is their input: Identity, Dropout outside
// training, Reshape (Flatten, Squeeze, Unsqueeze) and Expand to the shape that is
// there, Transpose that leaves the axes, Cast to the same type, Pad by nothing, Slice
// of everything, Concat and Sum of one, and arithmetic by a neutral constant.
//
// Exact bit for bit, but for x + 0, which makes -0 a 0. Saves a copy each.
func removeNoOps(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		if n.Domain != "" || e.removed[n] || len(n.Out) == 0 || n.Out[0] == nil {
			continue
		}
		alone := true // no second output is used
		for _, v := range n.Out[1:] {
			alone = alone && (v == nil || len(e.users[v]) == 0 && !e.kept[v])
		}
		if x := passedOn(n); x != nil && alone {
			changed = e.bypass(n, x) || changed
		}
	}
	return changed
}

// passedOn returns the input that n's first output equals, nil if there is none.
func passedOn(n *Node) *Value {
	x := n.Input(0)
	if x == nil {
		return nil
	}
	y := n.Out[0]
	same := x.Shape != nil && slices.Equal(x.Shape, y.Shape)
	known := same && !slices.Contains(x.Shape, Unknown)
	is := false
	switch n.Op {
	case "Identity":
		is = true
	case "Dropout":
		training := n.Input(2)
		is = training == nil || isFalse(training)
	case "Reshape", "Flatten", "Squeeze", "Unsqueeze":
		is = known || same && countUnknown(x.Shape) == 1 && !slices.Contains(x.Shape, 0)
	case "Expand":
		is = known
	case "Pad":
		pads, ok := numbersOf(n.Input(1))
		is = ok && !slices.ContainsFunc(pads, func(p int64) bool { return p != 0 })
	case "Slice":
		steps, ok := numbersOf(n.Input(4))
		is = known && (n.Input(4) == nil || ok && !slices.ContainsFunc(steps, func(s int64) bool { return s != 1 }))
	case "Tile":
		repeats, ok := numbersOf(n.Input(1))
		is = ok && !slices.ContainsFunc(repeats, func(r int64) bool { return r != 1 })
	case "Transpose":
		perm := n.Ints("perm")
		is = len(perm) > 0 && slices.IsSorted(perm) || len(x.Shape) == 1
	case "Cast":
		is = x.DType == y.DType && x.DType != tensor.Invalid
	case "Concat", "Sum", "Max", "Min", "Mean":
		is = len(n.In) == 1
	case "Add", "Sub", "Mul", "Div":
		return neutral(n)
	}
	if is {
		return x
	}
	return nil
}

// neutral returns the input that stays where the other is a constant 0 or 1 that
// neither changes the elements nor stretches the shape.
func neutral(n *Node) *Value {
	zero := n.Op == "Add" || n.Op == "Sub"
	for i := range min(2, len(n.In)) {
		x, c := n.In[i], n.Input(1-i)
		if i == 1 && (n.Op == "Sub" || n.Op == "Div") || x == nil || c == nil || c.Data == nil || c.Data.Len() > maxElems {
			continue
		}
		if x.Shape == nil || !slices.Equal(x.Shape, n.Out[0].Shape) || slices.Contains(x.Shape, Unknown) {
			continue
		}
		if zero && allAre(c.Data, 0) || !zero && allAre(c.Data, 1) {
			return x
		}
	}
	return nil
}

// allAre reports whether every element of a numeric tensor is want.
func allAre(t *tensor.Tensor, want float64) bool {
	if f, ok := floats(t); ok {
		return !slices.ContainsFunc(f, func(v float64) bool { return v != want })
	}
	i, ok := int64s(t)
	return ok && t.DType != tensor.Float16 && t.DType != tensor.BFloat16 &&
		!slices.ContainsFunc(i, func(v int64) bool { return v != int64(want) })
}

func countUnknown(s Shape) int {
	k := 0
	for _, d := range s {
		if d == Unknown {
			k++
		}
	}
	return k
}
