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
			if i == axis {
				y[i] = addDim(y[i], d)
				continue
			}
			var ok bool
			if y[i], ok = mergeDim(y[i], d); !ok {
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
