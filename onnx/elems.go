package onnx

import (
	"trilobite/tensor"
)

// num is one element of a small integer tensor that describes a shape: the number
// n, or, if dim is set, a dimension that n stands for: a symbol or Unknown. The two
// are apart because shape tensors also hold plain negative numbers.
type num struct {
	n   int64
	dim bool
}

// numOf turns a dimension into an element.
func numOf(d int64) num { return num{d, d < 0} }

// size turns an element, known to be no number below 0, into a dimension.
func (e num) size() int64 {
	if !e.dim && e.n < 0 {
		return Unknown
	}
	return e.n
}

// maxElems bounds the tensors whose elements inference follows: shapes, axes, pads
// and sizes are far shorter.
const maxElems = 1024

// elemsOf returns what is known of the elements of an integer or boolean tensor of
// rank 0 or 1, false if nothing is.
func elemsOf(v *Value) ([]num, bool) {
	switch {
	case v == nil:
		return nil, false
	case v.Data == nil:
		return v.elems, v.elems != nil
	case v.Data.Len() > maxElems:
		return nil, false
	}
	list, ok := int64s(v.Data)
	if !ok {
		return nil, false
	}
	elems := make([]num, len(list))
	for i, x := range list {
		elems[i] = num{n: x}
	}
	return elems, true
}

// Ints returns the elements of an integer or boolean tensor of rank 0 or 1 where all
// are known numbers: a constant's, or those of a shape computation that inference has
// followed. It knows at most 1024.
func (v *Value) Ints() ([]int64, bool) { return numbersOf(v) }

// numbersOf returns the elements of an integer tensor where all are known numbers.
func numbersOf(v *Value) ([]int64, bool) {
	elems, ok := elemsOf(v)
	if !ok {
		return nil, false
	}
	list := make([]int64, len(elems))
	for i, e := range elems {
		if e.dim {
			return nil, false
		}
		list[i] = e.n
	}
	return list, true
}

// int64s returns the elements of an integer or boolean tensor, booleans as 0 and 1.
func int64s(t *tensor.Tensor) ([]int64, bool) {
	if t.DType.IsFloat() {
		return nil, false
	}
	switch d := t.Raw().(type) {
	case []int64:
		return d, true
	case []int32:
		return widen(d), true
	case []int16:
		return widen(d), true
	case []int8:
		return widen(d), true
	case []uint8:
		return widen(d), true
	case []uint16:
		return widen(d), true
	case []uint32:
		return widen(d), true
	case []uint64:
		return widen(d), true
	case []bool:
		list := make([]int64, len(d))
		for i, b := range d {
			if b {
				list[i] = 1
			}
		}
		return list, true
	default:
		return nil, false
	}
}

func widen[T int32 | int16 | int8 | uint8 | uint16 | uint32 | uint64](d []T) []int64 {
	list := make([]int64, len(d))
	for i, x := range d {
		list[i] = int64(x)
	}
	return list
}

// floats returns the elements of a float32 or float64 tensor.
func floats(t *tensor.Tensor) ([]float64, bool) {
	switch d := t.Raw().(type) {
	case []float64:
		return d, true
	case []float32:
		list := make([]float64, len(d))
		for i, x := range d {
			list[i] = float64(x)
		}
		return list, true
	default:
		return nil, false
	}
}
