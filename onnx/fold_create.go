package onnx

import (
	"math"

	"trilobite/tensor"
)

// shapeTensor is the result of Shape or Size of a constant.
func shapeTensor(m *Node) *tensor.Tensor {
	x := m.In[0].Shape
	if m.Op == "Size" {
		return tensor.Scalar(tensor.Size(x))
	}
	return tensor.Vector(append([]int64{}, shapePart(m, x)...)...)
}

// filled is the result of ConstantOfShape.
func filled(m *Node) (*tensor.Tensor, bool) {
	value, ok := m.Attrs["value"].(*tensor.Tensor)
	if !ok {
		value = tensor.Vector[float32](0)
	}
	if value.Len() != 1 {
		return nil, false
	}
	y := m.Out[0].Shape
	return take(value.DType, y, []any{value.Raw()}, make([]int32, tensor.Size(y)))
}

// rangeTensor counts start, start + delta, … in the inputs' type.
func rangeTensor(m *Node) (*tensor.Tensor, bool) {
	t, y := m.Out[0].DType, m.Out[0].Shape
	if t.IsFloat() {
		start, ok1 := floats(m.In[0].Data)
		delta, ok2 := floats(m.In[2].Data)
		if !ok1 || !ok2 {
			return nil, false
		}
		list := make([]float64, tensor.Size(y))
		for i := range list {
			list[i] = start[0] + float64(i)*delta[0]
		}
		return fromFloats(t, y, list)
	}
	start, delta := scalarNum(m.In[0]), scalarNum(m.In[2])
	list := make([]int64, tensor.Size(y))
	for i := range list {
		list[i] = start.n + int64(i)*delta.n
	}
	return fromInt64s(t, y, list)
}

// nonZero lists the coordinates of the elements that are not 0, (rank, count).
func nonZero(x *tensor.Tensor) (*tensor.Tensor, bool) {
	list, ok := int64s(x)
	if !ok {
		f, ok := floats(x)
		if !ok {
			return nil, false
		}
		for _, v := range f {
			one := int64(0)
			if v != 0 {
				one = 1
			}
			list = append(list, one)
		}
	}
	rank := len(x.Shape)
	coords := make([][]int64, rank)
	at, count := 0, int64(0)
	for idx := range indices(x.Shape) {
		if list[at] != 0 {
			for d, i := range idx {
				coords[d] = append(coords[d], i)
			}
			count++
		}
		at++
	}
	var flat []int64
	for _, c := range coords {
		flat = append(flat, c...)
	}
	if rank == 0 {
		return nil, false
	}
	return tensor.Of([]int64{int64(rank), count}, flat), true
}

// fromInt64s returns a tensor of an integer or boolean type; numbers wrap as C's do.
func fromInt64s(t tensor.DType, shape []int64, list []int64) (*tensor.Tensor, bool) {
	switch t {
	case tensor.Int64:
		return tensor.Of(shape, list), true
	case tensor.Int32:
		return tensor.Of(shape, mapSlice(list, func(v int64) int32 { return int32(v) })), true
	case tensor.Int16:
		return tensor.Of(shape, mapSlice(list, func(v int64) int16 { return int16(v) })), true
	case tensor.Int8:
		return tensor.Of(shape, mapSlice(list, func(v int64) int8 { return int8(v) })), true
	case tensor.Uint8:
		return tensor.Of(shape, mapSlice(list, func(v int64) uint8 { return uint8(v) })), true
	case tensor.Uint16:
		return tensor.Of(shape, mapSlice(list, func(v int64) uint16 { return uint16(v) })), true
	case tensor.Uint32:
		return tensor.Of(shape, mapSlice(list, func(v int64) uint32 { return uint32(v) })), true
	case tensor.Bool:
		return tensor.Of(shape, mapSlice(list, func(v int64) bool { return v != 0 })), true
	default:
		return nil, false
	}
}

// fromFloats returns a float32 or float64 tensor.
func fromFloats(t tensor.DType, shape []int64, list []float64) (*tensor.Tensor, bool) {
	switch t {
	case tensor.Float64:
		return tensor.Of(shape, list), true
	case tensor.Float32:
		return tensor.Of(shape, mapSlice(list, func(v float64) float32 { return float32(v) })), true
	default:
		return nil, false
	}
}

// cast converts between numeric types: floats are cut towards zero, halves are read.
// Floats that no integer of the type holds are not converted; what a runtime makes
// of them differs.
func cast(x *tensor.Tensor, to tensor.DType) (*tensor.Tensor, bool) {
	if x.DType == to {
		return x, true
	}
	if ints, ok := int64s(x); ok && x.DType != tensor.Float16 && x.DType != tensor.BFloat16 {
		if to == tensor.Float32 || to == tensor.Float64 {
			return fromFloats(to, x.Shape, mapSlice(ints, func(v int64) float64 { return float64(v) }))
		}
		return fromInt64s(to, x.Shape, ints)
	}
	f, ok := floats(x)
	if bits, half := tensor.Data[uint16](x); half && x.DType == tensor.Float16 {
		f, ok = mapSlice(bits, halfFloat), true
	}
	if !ok {
		return nil, false
	}
	switch to {
	case tensor.Float32, tensor.Float64:
		return fromFloats(to, x.Shape, f)
	case tensor.Bool:
		return tensor.Of(x.Shape, mapSlice(f, func(v float64) bool { return v != 0 })), true
	case tensor.Int64, tensor.Int32:
		for _, v := range f {
			if !(math.Abs(v) < 1<<31) {
				return nil, false
			}
		}
		return fromInt64s(to, x.Shape, mapSlice(f, func(v float64) int64 { return int64(v) }))
	default:
		return nil, false
	}
}

// halfFloat is the value of IEEE 754 binary16 bits.
func halfFloat(bits uint16) float64 {
	sign := 1.0
	if bits&0x8000 != 0 {
		sign = -1
	}
	exp, man := int(bits>>10&0x1f), float64(bits&0x3ff)
	switch exp {
	case 0:
		return sign * math.Ldexp(man, -24)
	case 31:
		if man != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	default:
		return sign * math.Ldexp(1024+man, exp-25)
	}
}
