package onnx

import (
	"slices"

	"trilobite/tensor"
)

// reduce computes ReduceSum, Mean, Max, Min or Prod of int32, int64, float32 or
// float64; floats are summed in float64.
func reduce(m *Node) (*tensor.Tensor, bool) {
	x := m.In[0]
	axes, known, err := axesOf(m, 1, len(x.Shape))
	if !known || err != nil || len(axes) == 0 && m.Int("noop_with_empty_axes", 0) != 0 || slices.Contains(x.Shape, 0) {
		return nil, false
	}
	// The input's elements, grouped by the output element they belong to.
	step := make([]int64, len(x.Shape))
	next := int64(1)
	for i := len(step) - 1; i >= 0; i-- {
		if !slices.Contains(axes, i) && len(axes) > 0 {
			step[i] = next
			next *= x.Shape[i]
		}
	}
	groups := make([]int32, 0, tensor.Size(x.Shape))
	to := dotWith(0, step)
	for idx := range indices(x.Shape) {
		groups = append(groups, int32(to(idx)))
	}
	y := m.Out[0].Shape
	switch x.DType {
	case tensor.Int32, tensor.Int64:
		list, _ := int64s(x.Data)
		return reduced(m.Op, list, groups, y, func(v []int64) (*tensor.Tensor, bool) { return fromInt64s(x.DType, y, v) })
	case tensor.Float32, tensor.Float64:
		list, _ := floats(x.Data)
		return reduced(m.Op, list, groups, y, func(v []float64) (*tensor.Tensor, bool) { return fromFloats(x.DType, y, v) })
	default:
		return nil, false
	}
}

func reduced[T int64 | float64](op string, list []T, groups []int32, y Shape, pack func([]T) (*tensor.Tensor, bool)) (*tensor.Tensor, bool) {
	out := make([]T, tensor.Size(y))
	seen := make([]bool, len(out))
	for i, v := range list {
		g := groups[i]
		switch {
		case !seen[g]:
			out[g] = v
		case op == "ReduceSum" || op == "ReduceMean":
			out[g] += v
		case op == "ReduceMax":
			out[g] = max(out[g], v)
		case op == "ReduceMin":
			out[g] = min(out[g], v)
		case op == "ReduceProd":
			out[g] *= v
		}
		seen[g] = true
	}
	if op == "ReduceMean" {
		for i := range out {
			out[i] /= T(len(list) / len(out))
		}
	}
	return pack(out)
}
