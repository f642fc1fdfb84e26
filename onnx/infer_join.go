package onnx

import (
	"fmt"
	"slices"
)

func joinRule(op string) shapeRule {
	switch op {
	case "Concat":
		return inferConcat
	case "Split":
		return inferSplit
	case "Slice":
		return inferSlice
	case "Pad":
		return inferPad
	default:
		return nil
	}
}

func inferConcat(n *Node, _ *Symbols) error {
	if err := need(n, max(1, len(n.In))); err != nil {
		return err
	}
	places := make([]int, len(n.In))
	shapes := make([]Shape, len(n.In))
	for i := range n.In {
		places[i], shapes[i] = i, inShape(n, i)
	}
	t, err := sameTypes(n, places...)
	if err != nil {
		return fmt.Errorf("shapes %v: %w", shapes, err)
	}
	setOut(n, 0, t, nil)
	known := slices.IndexFunc(shapes, func(s Shape) bool { return s != nil })
	if known < 0 {
		return nil
	}
	rank := len(shapes[known])
	axis, err := axisOf(n.Int("axis", 0), rank)
	if err != nil {
		return fmt.Errorf("shapes %v: %w", shapes, err)
	}
	y := unknownShape(rank)
	y[axis] = 0
	for _, s := range shapes {
		if s == nil {
			s = unknownShape(rank)
		}
		if len(s) != rank {
			return fmt.Errorf("shapes %v differ in rank", shapes)
		}
		for i, d := range s {
			ok := true
			if i == axis {
				y[i] = addDim(y[i], d)
			} else if y[i], ok = mergeDim(y[i], d); !ok {
				return fmt.Errorf("shapes %v differ off axis %d", shapes, axis)
			}
		}
	}
	setOut(n, 0, t, y)
	return nil
}

// inferSplit: the sizes of input 1, or num_outputs equal parts, the last one smaller
// where they do not divide the axis.
func inferSplit(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x, t := inShape(n, 0), inType(n, 0)
	for i := range n.Out {
		setOut(n, i, t, nil)
	}
	if x == nil {
		return nil
	}
	axis, err := axisOf(n.Int("axis", 0), len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	sizes, err := splitSizes(n, x, axis)
	if err != nil {
		return err
	}
	for i := range n.Out {
		y := slices.Clone(x)
		y[axis] = sizes[i]
		setOut(n, i, t, y)
	}
	return nil
}

// splitSizes returns the size of each output along the axis.
func splitSizes(n *Node, x Shape, axis int) ([]int64, error) {
	k := int64(len(n.Out))
	if elems, ok := elemsOf(n.Input(1)); ok {
		sizes := make([]int64, len(elems))
		sum := int64(0)
		for i, e := range elems {
			sizes[i] = e.size()
			sum = addDim(sum, sizes[i])
		}
		if int64(len(sizes)) != k || sum >= 0 && x[axis] >= 0 && sum != x[axis] {
			return nil, fmt.Errorf("input %v does not split into %v for %d outputs on axis %d", x, sizes, k, axis)
		}
		return sizes, nil
	}
	if n.Input(1) != nil || x[axis] < 0 {
		if k == 1 {
			return []int64{x[axis]}, nil
		}
		return repeat(Unknown, int(k)), nil
	}
	part := (x[axis] + k - 1) / max(k, 1)
	sizes := repeat(part, int(k))
	if k > 0 {
		sizes[k-1] = x[axis] - part*(k-1)
		if sizes[k-1] < 0 {
			return nil, fmt.Errorf("input %v does not split into %d parts on axis %d", x, k, axis)
		}
	}
	return sizes, nil
}

// inferSlice: inputs data, starts, ends, and optionally axes and steps.
func inferSlice(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	x, t := inShape(n, 0), inType(n, 0)
	setOut(n, 0, t, nil)
	if x == nil {
		return nil
	}
	cuts, known, err := cutsOf(n, len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	if !known {
		setOut(n, 0, t, unknownShape(len(x)))
		return nil
	}
	y := slices.Clone(x)
	for _, c := range cuts {
		y[c.axis] = c.length(x[c.axis])
	}
	setOut(n, 0, t, y)
	return nil
}

// cut is what Slice does to one axis, NumPy's start:end:step.
type cut struct {
	axis       int
	start, end num
	step       int64
}

// cutsOf reads the inputs of a Slice. known is false where it is not even known
// which axes are cut.
func cutsOf(n *Node, rank int) (cuts []cut, known bool, err error) {
	starts, ok1 := elemsOf(n.Input(1))
	ends, ok2 := elemsOf(n.Input(2))
	k := len(starts)
	if !ok1 {
		if k = len(ends); !ok2 {
			s := inShape(n, 1)
			if len(s) != 1 || s[0] < 0 || s[0] > int64(rank) {
				return nil, false, nil
			}
			k = int(s[0])
		}
		starts = slices.Repeat([]num{numOf(Unknown)}, k)
	}
	if !ok2 {
		ends = slices.Repeat([]num{numOf(Unknown)}, k)
	}
	axes, steps := make([]int64, k), repeat(1, k)
	for i := range axes {
		axes[i] = int64(i)
	}
	if v := n.Input(3); v != nil {
		if axes, known = numbersOf(v); !known {
			return nil, false, nil
		}
	}
	if v := n.Input(4); v != nil {
		if steps, known = numbersOf(v); !known {
			starts = slices.Repeat([]num{numOf(Unknown)}, k)
			steps = repeat(1, k)
		}
	}
	if len(ends) != k || len(axes) != k || len(steps) != k {
		return nil, false, fmt.Errorf("%d starts, %d ends, %d axes and %d steps", k, len(ends), len(axes), len(steps))
	}
	for i := range k {
		axis, err := axisOf(axes[i], rank)
		if err != nil {
			return nil, false, err
		}
		if steps[i] == 0 {
			return nil, false, fmt.Errorf("step 0 on axis %d", axis)
		}
		cuts = append(cuts, cut{axis, starts[i], ends[i], steps[i]})
	}
	return cuts, true, nil
}

// length returns what is left of size in.
func (c cut) length(in int64) int64 {
	whole := c.start == (num{}) && c.step == 1
	switch {
	case whole && !c.end.dim && c.end.n >= 1<<31-1: // the exporters' "to the end"
		return in
	case whole && c.end.dim && c.end.n == in && in != Unknown:
		return in
	case whole && in < 0 && c.end.dim:
		return Unknown
	case in < 0 || c.start.dim || c.end.dim:
		return Unknown
	}
	_, k := c.bounds(in)
	return k
}

// bounds returns the first index and the number of indices of the cut of size in,
// start and end being numbers.
func (c cut) bounds(in int64) (start, count int64) {
	start, end := c.start.n, c.end.n
	if start < 0 {
		start += in
	}
	if end < 0 {
		end += in
	}
	if c.step > 0 {
		start, end = min(max(start, 0), in), min(max(end, 0), in)
		if end <= start {
			return start, 0
		}
		return start, (end-start-1)/c.step + 1
	}
	start, end = min(max(start, 0), in-1), min(max(end, -1), in-1)
	if start <= end || in == 0 {
		return 0, 0
	}
	return start, (start-end-1)/magnitude(c.step) + 1
}

// magnitude is |step| for a negative step, without overflow.
func magnitude(step int64) int64 {
	return -max(step, -1<<62)
}

// inferPad: input 1 has all begins, then all ends, of the axes of input 3, or of all.
func inferPad(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x, t := inShape(n, 0), inType(n, 0)
	setOut(n, 0, t, nil)
	if x == nil {
		return nil
	}
	pads, known, err := padsOf(n, len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	y := unknownShape(len(x))
	if known {
		for i, d := range x {
			begin, end := pads[i], pads[i+len(x)]
			switch {
			case begin.dim || end.dim:
			case begin.n == 0 && end.n == 0:
				y[i] = d
			case d >= 0:
				if begin.n < -d || end.n < -d || begin.n > 1<<48 || end.n > 1<<48 || d+begin.n+end.n < 0 {
					return fmt.Errorf("input %v: pads %d and %d on axis %d", x, begin.n, end.n, i)
				}
				y[i] = d + begin.n + end.n
			}
		}
	}
	setOut(n, 0, t, y)
	return nil
}

// padsOf returns the begins and ends of a Pad for every axis.
func padsOf(n *Node, rank int) (pads []num, known bool, err error) {
	list, ok := elemsOf(n.Input(1))
	if !ok {
		return nil, false, nil
	}
	if n.Input(3) == nil {
		if len(list) != 2*rank {
			return nil, false, fmt.Errorf("%d pads", len(list))
		}
		return list, true, nil
	}
	axes, ok := numbersOf(n.Input(3))
	if !ok {
		return nil, false, nil
	}
	if len(list) != 2*len(axes) {
		return nil, false, fmt.Errorf("%d pads for %d axes", len(list), len(axes))
	}
	pads = make([]num, 2*rank)
	for i, a := range axes {
		at, err := axisOf(a, rank)
		if err != nil {
			return nil, false, err
		}
		pads[at], pads[at+rank] = list[i], list[i+len(axes)]
	}
	return pads, true, nil
}
