package onnx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Shape is a list of dimensions. A dimension >= 0 is a size, Unknown is any size, and
// a smaller number is a symbol of the graph (Symbols), equal only to itself. A nil
// Shape is of unknown rank; a scalar's Shape is empty but not nil.
type Shape []int64

// Unknown is a dimension of which nothing is known.
const Unknown int64 = -1

// Static reports whether the rank and every dimension are known.
func (s Shape) Static() bool {
	return s != nil && !slices.ContainsFunc(s, func(d int64) bool { return d < 0 })
}

// String returns the shape as [1,3,-1,-1], or [?] when the rank is unknown.
func (s Shape) String() string {
	if s == nil {
		return "[?]"
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = fmt.Sprint(d)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// Symbols names a graph's symbolic dimensions: dimension -2-i is called Symbols[i].
type Symbols []string //nolint:recvcheck // a list is read by value and grows by pointer

// Dim returns the dimension that stands for name, adding it when it is new.
func (s *Symbols) Dim(name string) int64 {
	i := slices.Index(*s, name)
	if i < 0 {
		i = len(*s)
		*s = append(*s, name)
	}
	return -2 - int64(i)
}

// Name returns the name of a symbolic dimension, or "" if d is none.
func (s Symbols) Name(d int64) string {
	if i := -2 - d; i >= 0 && i < int64(len(s)) {
		return s[i]
	}
	return ""
}

// Text returns the shape as people read it, [batch,3,?,?].
func (s Symbols) Text(shape Shape) string {
	if shape == nil {
		return shape.String()
	}
	parts := make([]string, len(shape))
	for i, d := range shape {
		switch {
		case d >= 0:
			parts[i] = strconv.FormatInt(d, 10)
		case s.Name(d) != "":
			parts[i] = s.Name(d)
		default:
			parts[i] = "?"
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}
