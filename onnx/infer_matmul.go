package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"trilobite/tensor"
)

func matmulRule(op string) shapeRule {
	switch op {
	case "MatMul", "MatMulInteger":
		return inferMatMul
	case "Gemm":
		return inferGemm
	case "Einsum":
		return inferEinsum
	default:
		return nil
	}
}

// inferMatMul is NumPy's matmul: A (…, M, K), B (…, K, N) → (…, M, N), leading
// dimensions broadcast; a vector is a matrix whose added dimension is dropped again.
func inferMatMul(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	t, err := sameTypes(n, 0, 1)
	if n.Op == "MatMulInteger" {
		t, err = tensor.Int32, nil
	}
	if err != nil {
		return err
	}
	a, b := inShape(n, 0), inShape(n, 1)
	setOut(n, 0, t, nil)
	if a == nil || b == nil {
		return nil
	}
	y, err := matmulShape(a, b)
	if err != nil {
		return fmt.Errorf("inputs %v and %v: %w", a, b, err)
	}
	setOut(n, 0, t, y)
	return nil
}

func matmulShape(a, b Shape) (Shape, error) {
	if len(a) == 0 || len(b) == 0 {
		return nil, errors.New("a scalar has no inner dimension")
	}
	rowVector, columnVector := len(a) == 1, len(b) == 1
	if rowVector {
		a = Shape{1, a[0]}
	}
	if columnVector {
		b = Shape{b[0], 1}
	}
	ra, rb := len(a), len(b)
	if k, l := a[ra-1], b[rb-2]; k >= 0 && l >= 0 && k != l {
		return nil, fmt.Errorf("inner dimensions %d and %d differ", k, l)
	}
	y, err := broadcast(a[:ra-2], b[:rb-2])
	if err != nil {
		return nil, err
	}
	if !rowVector {
		y = append(y, a[ra-2])
	}
	if !columnVector {
		y = append(y, b[rb-1])
	}
	return y, nil
}

// inferGemm: A' (M, K), B' (K, N) → Y (M, N); C broadcasts to Y.
func inferGemm(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	t, err := sameTypes(n, 0, 1, 2)
	if err != nil {
		return err
	}
	a, b, c := inShape(n, 0), inShape(n, 1), inShape(n, 2)
	if a != nil && len(a) != 2 || b != nil && len(b) != 2 {
		return fmt.Errorf("inputs %v and %v are not matrices", a, b)
	}
	y, k, l := unknownShape(2), Unknown, Unknown
	if a != nil {
		i := n.Int("transA", 0) & 1
		y[0], k = a[i], a[1-i]
	}
	if b != nil {
		i := n.Int("transB", 0) & 1
		y[1], l = b[1-i], b[i]
	}
	if k >= 0 && l >= 0 && k != l {
		return fmt.Errorf("inputs %v and %v: inner dimensions %d and %d differ", a, b, k, l)
	}
	if s, err := broadcast(y, c); err != nil || len(s) > 2 {
		return fmt.Errorf("bias %v does not broadcast to %v", c, y)
	}
	setOut(n, 0, t, y)
	return nil
}

// inferEinsum reads the equation: letters on the inputs name dimensions, the output
// lists them. Without "->" the output has the letters that occur once, in order.
// "..." stands for the broadcast of the unnamed dimensions.
func inferEinsum(n *Node, _ *Symbols) error {
	places := make([]int, len(n.In))
	for i := range places {
		places[i] = i
	}
	t, err := sameTypes(n, places...)
	if err != nil {
		return err
	}
	setOut(n, 0, t, nil)
	eq := strings.ReplaceAll(n.Str("equation", ""), " ", "")
	left, right, explicit := strings.Cut(eq, "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(n.In) {
		return fmt.Errorf("equation %q has %d terms for %d inputs", eq, len(terms), len(n.In))
	}
	e := einsum{size: map[rune]int64{}, count: map[rune]int{}, dots: Shape{}}
	for i, term := range terms {
		s := inShape(n, i)
		if s == nil {
			return nil
		}
		if err := e.read(term, s); err != nil {
			return fmt.Errorf("equation %q, input %d of shape %v: %w", eq, i, s, err)
		}
	}
	if !explicit {
		right = e.implicit()
	}
	y, err := e.write(right)
	if err != nil {
		return fmt.Errorf("equation %q: %w", eq, err)
	}
	setOut(n, 0, t, y)
	return nil
}

// einsum gathers what the input terms of an equation say about each letter.
type einsum struct {
	size  map[rune]int64
	count map[rune]int
	dots  Shape
}

func (e *einsum) read(term string, s Shape) error {
	before, after, dots := strings.Cut(term, "...")
	letters := len(before) + len(after)
	if letters > len(s) || !dots && letters != len(s) {
		return fmt.Errorf("term %q is of another rank", term)
	}
	hidden := s[len(before) : len(s)-len(after)]
	var err error
	if e.dots, err = broadcast(e.dots, hidden); err != nil {
		return err
	}
	dims := append(slices.Clone(s[:len(before)]), s[len(s)-len(after):]...)
	for i, c := range before + after {
		old, seen := e.size[c]
		if !seen {
			old = 1
		}
		d, ok := broadcastDim(old, dims[i])
		if !ok {
			return fmt.Errorf("%c is %d and %d", c, old, dims[i])
		}
		e.size[c] = d
		e.count[c]++
	}
	return nil
}

func (e *einsum) implicit() string {
	var once []rune
	for c, k := range e.count {
		if k == 1 {
			once = append(once, c)
		}
	}
	slices.Sort(once)
	if len(e.dots) > 0 {
		return "..." + string(once)
	}
	return string(once)
}

func (e *einsum) write(right string) (Shape, error) {
	before, after, dots := strings.Cut(right, "...")
	y := Shape{}
	for _, part := range []struct {
		letters string
		dots    bool
	}{{before, dots}, {after, false}} {
		for _, c := range part.letters {
			d, ok := e.size[c]
			if !ok {
				return nil, fmt.Errorf("%c is on no input", c)
			}
			y = append(y, d)
		}
		if part.dots {
			y = append(y, e.dots...)
		}
	}
	return y, nil
}
