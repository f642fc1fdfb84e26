package onnx

import (
	"fmt"
	"math/bits"
	"slices"
)

// broadcast returns the shape that shapes broadcast to, NumPy's way (ONNX
// Broadcasting.md): aligned at the last dimension, 1 stretches. Against a size
// other than 1 a symbol counts as equal; two different symbols give Unknown.
// The result is nil if any rank is unknown.
func broadcast(shapes ...Shape) (Shape, error) {
	rank := 0
	for _, s := range shapes {
		if s == nil {
			return nil, nil
		}
		rank = max(rank, len(s))
	}
	out := make(Shape, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		for i, d := range s {
			at := rank - len(s) + i
			m, ok := broadcastDim(out[at], d)
			if !ok {
				return nil, fmt.Errorf("shapes %v do not broadcast", shapes)
			}
			out[at] = m
		}
	}
	return out, nil
}

func broadcastDim(a, b int64) (int64, bool) {
	switch {
	case a == b, b == 1:
		return a, true
	case a == 1:
		return b, true
	case a >= 0 && b >= 0:
		return 0, false
	case a >= 0:
		return a, true
	case b >= 0:
		return b, true
	default:
		return Unknown, true
	}
}

// mergeDim returns what is known of a dimension known two ways, false if they
// contradict each other. Symbols yield to sizes.
func mergeDim(a, b int64) (int64, bool) {
	switch {
	case a == b, b == Unknown:
		return a, true
	case a == Unknown:
		return b, true
	case a >= 0 && b >= 0:
		return 0, false
	case a >= 0:
		return a, true
	default:
		return b, true
	}
}

// unknownShape returns a shape of a known rank and nothing else.
func unknownShape(rank int) Shape {
	return slices.Repeat(Shape{Unknown}, rank)
}

// axisOf turns a possibly negative axis into one in [0, rank).
func axisOf(axis int64, rank int) (int, error) {
	if axis < -int64(rank) || axis >= int64(rank) {
		return 0, fmt.Errorf("axis %d is outside rank %d", axis, rank)
	}
	if axis < 0 {
		axis += int64(rank)
	}
	return int(axis), nil
}

// mulDim multiplies dimensions: sizes exactly, 1 leaves a symbol as it is, and all
// else, overflow included, is Unknown.
func mulDim(a, b int64) int64 {
	switch {
	case a == 1:
		return b
	case b == 1:
		return a
	case a < 0 || b < 0:
		return Unknown
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi != 0 || int64(lo) < 0 {
		return Unknown
	}
	return int64(lo)
}

// addDim adds dimensions: sizes exactly, 0 leaves a symbol as it is, and all else,
// overflow and negative sums included, is Unknown.
func addDim(a, b int64) int64 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	case a < 0 || b < 0 || a+b < 0:
		return Unknown
	}
	return a + b
}

// product is a number of elements as size × symbols; known is false if a dimension
// is Unknown or the size overflows.
type product struct {
	size    int64
	symbols []int64
	known   bool
}

func productOf(dims ...int64) product {
	p := product{size: 1, known: true}
	for _, d := range dims {
		switch {
		case d >= 0:
			if p.size = mulDim(p.size, d); p.size < 0 {
				return product{}
			}
		case d == Unknown:
			return product{}
		default:
			p.symbols = append(p.symbols, d)
		}
	}
	return p
}

// dim returns the product as one dimension.
func (p product) dim() int64 {
	switch {
	case !p.known:
		return Unknown
	case len(p.symbols) == 0:
		return p.size
	case len(p.symbols) == 1 && p.size == 1:
		return p.symbols[0]
	default:
		return Unknown
	}
}

// over returns p / q as one dimension, cancelling symbols. It fails if both are
// sizes and q does not divide p.
func (p product) over(q product) (int64, error) {
	if !p.known || !q.known || q.size == 0 {
		return Unknown, nil
	}
	left := slices.Clone(p.symbols)
	for _, s := range q.symbols {
		i := slices.Index(left, s)
		if i < 0 {
			return Unknown, nil
		}
		left = slices.Delete(left, i, i+1)
	}
	if p.size%q.size != 0 {
		if len(left) > 0 {
			return Unknown, nil
		}
		return 0, fmt.Errorf("%d elements do not divide by %d", p.size, q.size)
	}
	return product{size: p.size / q.size, symbols: left, known: true}.dim(), nil
}
