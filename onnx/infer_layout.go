package onnx

import (
	"fmt"
	"slices"
)

func layoutRule(op string) shapeRule {
	switch op {
	case "Reshape":
		return inferReshape
	case "Flatten":
		return inferFlatten
	case "Transpose":
		return inferTranspose
	case "Squeeze":
		return inferSqueeze
	case "Unsqueeze":
		return inferUnsqueeze
	case "Expand":
		return inferExpand
	case "Col2Im":
		return inferCol2Im
	case "Tile":
		return inferTile
	case "DepthToSpace", "SpaceToDepth":
		return inferDepthSpace
	default:
		return nil
	}
}

func inferFlatten(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x := inShape(n, 0)
	if x == nil {
		setOut(n, 0, inType(n, 0), unknownShape(2))
		return nil
	}
	at := n.Int("axis", 1)
	if at != int64(len(x)) {
		a, err := axisOf(at, len(x))
		if err != nil {
			return fmt.Errorf("input %v: %w", x, err)
		}
		at = int64(a)
	}
	setOut(n, 0, inType(n, 0), Shape{productOf(x[:at]...).dim(), productOf(x[at:]...).dim()})
	return nil
}

func inferTranspose(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	perm := n.Ints("perm")
	if x == nil {
		if len(perm) > 0 {
			setOut(n, 0, inType(n, 0), unknownShape(len(perm)))
		}
		return nil
	}
	perm, err := permOf(perm, len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	setOut(n, 0, inType(n, 0), pick(x, perm))
	return nil
}

// permOf checks a permutation of rank axes; an absent one reverses them.
func permOf(perm []int64, rank int) ([]int64, error) {
	if len(perm) == 0 {
		perm = make([]int64, rank)
		for i := range perm {
			perm[i] = int64(rank - 1 - i)
		}
	}
	sorted := slices.Sorted(slices.Values(perm))
	for i, p := range sorted {
		if p != int64(i) || len(perm) != rank {
			return nil, fmt.Errorf("perm %v is no permutation of %d axes", perm, rank)
		}
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm %v is no permutation of %d axes", perm, rank)
	}
	return perm, nil
}

// pick returns the entries of s at the places of perm.
func pick(s, perm []int64) []int64 {
	out := make([]int64, len(perm))
	for i, p := range perm {
		out[i] = s[p]
	}
	return out
}

// axesOf returns the axes that input i or, in files of older habits, the attribute
// "axes" gives, within [0, rank) and ascending. known is false where the input is
// computed; absent axes are an empty list.
func axesOf(n *Node, i, rank int) (axes []int, known bool, err error) {
	list := n.Ints("axes")
	if v := n.Input(i); v != nil {
		var ok bool
		if list, ok = numbersOf(v); !ok {
			return nil, false, nil
		}
	}
	for _, a := range list {
		at, err := axisOf(a, rank)
		if err != nil {
			return nil, false, err
		}
		axes = append(axes, at)
	}
	slices.Sort(axes)
	if len(slices.Compact(slices.Clone(axes))) != len(axes) {
		return nil, false, fmt.Errorf("axes %v repeat", list)
	}
	return axes, true, nil
}

func inferSqueeze(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	if x == nil {
		return nil
	}
	axes, known, err := axesOf(n, 1, len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	if !known {
		if s := inShape(n, 1); len(s) == 1 && s[0] >= 0 && s[0] <= int64(len(x)) {
			setOut(n, 0, inType(n, 0), unknownShape(len(x)-int(s[0])))
		}
		return nil
	}
	y := Shape{}
	for i, d := range x {
		switch drop := slices.Contains(axes, i); {
		case len(axes) == 0 && d < 0:
			return nil // it may be 1
		case drop && d >= 0 && d != 1:
			return fmt.Errorf("input %v: axis %d is not 1", x, i)
		case !drop && (len(axes) > 0 || d != 1):
			y = append(y, d)
		}
	}
	setOut(n, 0, inType(n, 0), y)
	return nil
}

func inferUnsqueeze(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	if x == nil {
		return nil
	}
	count := int64(len(n.Ints("axes")))
	if s := inShape(n, 1); s != nil {
		if count = 1; len(s) == 1 {
			count = s[0]
		}
	}
	if count < 0 || count > maxRank {
		return nil
	}
	rank := len(x) + int(count)
	axes, known, err := axesOf(n, 1, rank)
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	if !known {
		setOut(n, 0, inType(n, 0), unknownShape(rank))
		return nil
	}
	y := slices.Clone(x)
	for _, a := range axes {
		if a > len(y) {
			return fmt.Errorf("input %v does not take new axes %v", x, axes)
		}
		y = slices.Insert(y, a, 1)
	}
	setOut(n, 0, inType(n, 0), y)
	return nil
}

// inferExpand: the shape broadcasts with X, both ways.
func inferExpand(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	target, ok := elemsOf(n.In[1])
	if !ok {
		if s := inShape(n, 1); x != nil && len(s) == 1 && s[0] >= 0 && s[0] <= maxRank {
			setOut(n, 0, inType(n, 0), unknownShape(max(len(x), int(s[0]))))
		}
		return nil
	}
	want := make(Shape, len(target))
	for i, e := range target {
		want[i] = e.size()
	}
	y, err := broadcast(x, want)
	setOut(n, 0, inType(n, 0), y)
	return err
}

func inferTile(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	if x == nil {
		return nil
	}
	y := unknownShape(len(x))
	if repeats, ok := elemsOf(n.In[1]); ok {
		if len(repeats) != len(x) {
			return fmt.Errorf("input %v has not the rank of %d repeats", x, len(repeats))
		}
		for i, r := range repeats {
			y[i] = mulDim(x[i], r.size())
		}
	}
	setOut(n, 0, inType(n, 0), y)
	return nil
}

// inferDepthSpace moves blocks of b×b between channels and space, X (N, C, H, W).
func inferDepthSpace(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x, b := inShape(n, 0), n.Int("blocksize", 0)
	t := inType(n, 0)
	if x == nil {
		setOut(n, 0, t, unknownShape(4))
		return nil
	}
	if len(x) != 4 || b < 1 || b > maxWindow {
		return fmt.Errorf("input %v is not (N, C, H, W), or blocksize %d is no size", x, b)
	}
	y := slices.Clone(x)
	for i := range x {
		multiply, divide := i >= 2, i == 1
		k := b
		if i == 1 {
			k = mulDim(b, b)
		}
		if n.Op == "SpaceToDepth" {
			multiply, divide = i == 1, i >= 2
		}
		switch {
		case multiply:
			y[i] = mulDim(x[i], k)
		case divide && x[i] >= 0 && x[i]%k != 0:
			return fmt.Errorf("input %v does not divide into blocks of %d", x, b)
		case divide && x[i] >= 0:
			y[i] = x[i] / k
		case divide && k != 1:
			y[i] = Unknown
		}
	}
	setOut(n, 0, t, y)
	return nil
}

// inferCol2Im: X (N, C·Πblock, L) → (N, C, image…).
func inferCol2Im(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	image, ok := numbersOf(n.In[1])
	if x == nil || !ok {
		return nil
	}
	if len(x) != 3 {
		return fmt.Errorf("input X is %v, want three axes", x)
	}
	channels := Unknown
	if block, known := numbersOf(n.In[2]); known && x[1] >= 0 {
		area := productOf(block...).dim()
		if area < 1 || x[1]%area != 0 {
			return fmt.Errorf("the channels of X %v are not in blocks of %v", x, block)
		}
		channels = x[1] / area
	}
	setOut(n, 0, inType(n, 0), append(Shape{x[0], channels}, image...))
	return nil
}
