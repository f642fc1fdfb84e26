package onnx

import (
	"slices"

	"trilobite/tensor"
)

// maxFold bounds the elements of a tensor that is computed here: 64 million, past
// any layer's weights.
const maxFold = 1 << 26

// moved returns the inputs whose elements, one input after the other, are moved to
// make n's outputs; false for operators that do more than move.
func moved(n *Node) ([]*Value, bool) {
	in := slices.Clone(n.In)
	switch n.Op {
	case "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Expand",
		"Tile", "Split", "Gather":
		in = in[:min(1, len(in))]
	case "Concat":
	case "Where":
		in = in[min(1, len(in)):]
	case "Pad":
		if n.Str("mode", "constant") != "constant" {
			return nil, false
		}
		in = []*Value{n.Input(0)}
		if v := n.Input(2); v != nil {
			in = append(in, v)
		}
	default:
		return nil, false
	}
	return in, len(in) > 0 && !slices.Contains(in, nil)
}

// positions returns where each element of an output comes from, as a position in
// the joined elements of moved(n); one past them is Pad's default filling. It works
// from shapes and from the inputs that steer the move, never from the moved
// elements. ok is false where something is not known.
func positions(n *Node, out int) (pos []int32, ok bool) {
	if out >= len(n.Out) || n.Out[out] == nil {
		return nil, false
	}
	y, x := n.Out[out].Shape, inShape(n, 0)
	if !y.Static() || !x.Static() || productOf(y...).dim() < 0 || productOf(y...).dim() > maxFold {
		return nil, false
	}
	switch n.Op {
	case "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze":
		if tensor.Size(x) != tensor.Size(y) {
			return nil, false
		}
		same := make([]int32, tensor.Size(y))
		for i := range same {
			same[i] = int32(i)
		}
		return same, true
	case "Expand":
		return broadcastPositions(x, y)
	case "Concat":
		return concatPositions(n, y)
	case "Where":
		return wherePositions(n, y)
	}
	source := sourceOf(n, out, x)
	if source == nil {
		return nil, false
	}
	pos = make([]int32, 0, tensor.Size(y))
	for idx := range indices(y) {
		p := source(idx)
		if p < 0 || p > maxFold {
			return nil, false
		}
		pos = append(pos, int32(p))
	}
	return pos, true
}

// sourceOf returns the function from an index of y to a position in x.
func sourceOf(n *Node, out int, x Shape) func(idx []int64) int64 {
	step := stridesOf(x)
	switch n.Op {
	case "Transpose":
		perm, err := permOf(n.Ints("perm"), len(x))
		if err != nil {
			return nil
		}
		return dotWith(0, pick(step, perm))
	case "Slice":
		cuts, known, err := cutsOf(n, len(x))
		if !known || err != nil {
			return nil
		}
		offset := int64(0)
		for _, c := range cuts {
			if c.start.dim || c.end.dim {
				return nil
			}
			start, _ := c.bounds(x[c.axis])
			offset += start * step[c.axis]
			step[c.axis] = mulStep(step[c.axis], c.step, x[c.axis])
		}
		return dotWith(offset, step)
	case "Split":
		axis, err := axisOf(n.Int("axis", 0), len(x))
		if err != nil {
			return nil
		}
		offset := int64(0)
		for _, v := range n.Out[:out] {
			if v == nil || !v.Shape.Static() {
				return nil
			}
			offset += v.Shape[axis] * step[axis]
		}
		return dotWith(offset, step)
	case "Tile":
		return func(idx []int64) (p int64) {
			for i, s := range step {
				p += idx[i] % x[i] * s
			}
			return p
		}
	case "Gather":
		return gatherSource(n, x)
	case "Pad":
		pads, known, err := padsOf(n, len(x))
		if !known || err != nil {
			return nil
		}
		size := tensor.Size(x)
		return func(idx []int64) (p int64) {
			for i, s := range step {
				at := idx[i] - pads[i].n
				if at < 0 || at >= x[i] {
					return size
				}
				p += at * s
			}
			return p
		}
	default:
		return nil
	}
}

// mulStep is step·stride; a step beyond the axis never gets used and must not overflow.
func mulStep(stride, step, size int64) int64 {
	return stride * min(max(step, -size), size)
}

// dotWith returns offset + Σ idx·step.
func dotWith(offset int64, step []int64) func(idx []int64) int64 {
	return func(idx []int64) int64 {
		p := offset
		for i, s := range step {
			p += idx[i] * s
		}
		return p
	}
}

func gatherSource(n *Node, x Shape) func(idx []int64) int64 {
	axis, err := axisOf(n.Int("axis", 0), len(x))
	at, ok := allInts(n.Input(1))
	if err != nil || !ok || !inShape(n, 1).Static() {
		return nil
	}
	indexStep, step := stridesOf(inShape(n, 1)), stridesOf(x)
	k := len(indexStep)
	return func(idx []int64) (p int64) {
		q := int64(0)
		for i, s := range indexStep {
			q += idx[axis+i] * s
		}
		i := at[q]
		if i < 0 {
			i += x[axis]
		}
		if i < 0 || i >= x[axis] {
			return -1
		}
		for d, s := range step {
			switch {
			case d < axis:
				p += idx[d] * s
			case d == axis:
				p += i * s
			default:
				p += idx[d+k-1] * s
			}
		}
		return p
	}
}

// allInts is numbersOf without the bound on the number of elements of a constant.
func allInts(v *Value) ([]int64, bool) {
	if v != nil && v.Data != nil {
		return int64s(v.Data)
	}
	return numbersOf(v)
}

func concatPositions(n *Node, y Shape) ([]int32, bool) {
	axis, err := axisOf(n.Int("axis", 0), len(y))
	if err != nil {
		return nil, false
	}
	pos := make([]int32, tensor.Size(y))
	inner := tensor.Size(y[axis+1:])
	row := y[axis] * inner // elements of y for each index of the axes before
	start, column := int64(0), int64(0)
	for _, v := range n.In {
		if v == nil || !v.Shape.Static() || len(v.Shape) != len(y) {
			return nil, false
		}
		size, part := tensor.Size(v.Shape), v.Shape[axis]*inner
		for i := range size {
			pos[i/part*row+column+i%part] = int32(start + i)
		}
		start += size
		column += part
	}
	return pos, column == row
}

func wherePositions(n *Node, y Shape) ([]int32, bool) {
	cond, ok := allInts(n.Input(0))
	a, b := n.Input(1), n.Input(2)
	if !ok || a == nil || b == nil || !a.Shape.Static() || !b.Shape.Static() {
		return nil, false
	}
	c, ok1 := broadcastPositions(n.In[0].Shape, y)
	p, ok2 := broadcastPositions(a.Shape, y)
	q, ok3 := broadcastPositions(b.Shape, y)
	if !ok1 || !ok2 || !ok3 {
		return nil, false
	}
	for i := range p {
		if cond[c[i]] == 0 {
			p[i] = int32(tensor.Size(a.Shape)) + q[i]
		}
	}
	return p, true
}

// broadcastPositions returns the position in x of each element of y, which x
// broadcasts to.
func broadcastPositions(x, y Shape) ([]int32, bool) {
	if !x.Static() || !y.Static() || len(x) > len(y) || productOf(y...).dim() < 0 || productOf(y...).dim() > maxFold {
		return nil, false
	}
	own, step := stridesOf(x), make([]int64, len(y))
	for i, d := range x {
		at := len(y) - len(x) + i
		switch d {
		case y[at]:
			step[at] = own[i]
		case 1:
		default:
			return nil, false
		}
	}
	pos := make([]int32, 0, tensor.Size(y))
	source := dotWith(0, step)
	for idx := range indices(y) {
		pos = append(pos, int32(source(idx)))
	}
	return pos, true
}

// stridesOf returns the row-major strides of a shape, in elements.
func stridesOf(s Shape) []int64 {
	step := make([]int64, len(s))
	next := int64(1)
	for i := len(s) - 1; i >= 0; i-- {
		step[i] = next
		next *= s[i]
	}
	return step
}

// indices yields every index of a shape in row-major order, in one reused slice.
func indices(s Shape) func(yield func([]int64) bool) {
	return func(yield func([]int64) bool) {
		if slices.Contains(s, 0) {
			return
		}
		idx := make([]int64, len(s))
		for yield(idx) {
			i := len(s) - 1
			for ; i >= 0; i-- {
				if idx[i]++; idx[i] < s[i] {
					break
				}
				idx[i] = 0
			}
			if i < 0 {
				return
			}
		}
	}
}
