package inference

import (
	"errors"
	"fmt"

	"trilobite/api/inference/internal/pb"
	"trilobite/tensor"
)

// fromContents reads a tensor from gRPC's typed fields: the small integers travel in
// int_contents and uint_contents; FP16 and BF16 have none and come raw.
func fromContents(d tensor.DType, shape []int64, c *pb.InferTensorContents) (*tensor.Tensor, error) {
	if fields(c) > 1 {
		return nil, errors.New("its contents have elements in several fields: send those of its datatype alone")
	}
	switch d {
	case tensor.Bool:
		return same(shape, c.GetBoolContents())
	case tensor.Int8:
		return narrow[int8](shape, c.GetIntContents())
	case tensor.Int16:
		return narrow[int16](shape, c.GetIntContents())
	case tensor.Int32:
		return same(shape, c.GetIntContents())
	case tensor.Int64:
		return same(shape, c.GetInt64Contents())
	case tensor.Uint8:
		return narrow[uint8](shape, c.GetUintContents())
	case tensor.Uint16:
		return narrow[uint16](shape, c.GetUintContents())
	case tensor.Uint32:
		return same(shape, c.GetUintContents())
	case tensor.Uint64:
		return same(shape, c.GetUint64Contents())
	case tensor.Float32:
		return same(shape, c.GetFp32Contents())
	case tensor.Float64:
		return same(shape, c.GetFp64Contents())
	case tensor.String:
		all := make([]string, len(c.GetBytesContents()))
		for i, b := range c.GetBytesContents() {
			all[i] = string(b)
		}
		return same(shape, all)
	default:
		return nil, fmt.Errorf("%s has no contents: send raw_input_contents", datatype(d))
	}
}

// fields counts the typed fields that have elements.
func fields(c *pb.InferTensorContents) int {
	n := 0
	for _, length := range []int{
		len(c.GetBoolContents()), len(c.GetIntContents()), len(c.GetInt64Contents()), len(c.GetUintContents()), len(c.GetUint64Contents()),
		len(c.GetFp32Contents()), len(c.GetFp64Contents()), len(c.GetBytesContents()),
	} {
		if length > 0 {
			n++
		}
	}
	return n
}

// same is a tensor over the elements.
func same[T tensor.Elem](shape []int64, d []T) (*tensor.Tensor, error) {
	n, err := tensor.Elements(shape)
	if err != nil {
		return nil, err
	}
	if n != int64(len(d)) {
		return nil, fmt.Errorf("its contents have %d elements, shape %v holds %d", len(d), shape, n)
	}
	return tensor.Of(shape, d), nil
}

// narrow is same for elements that travel in a wider type.
func narrow[T int8 | int16 | uint8 | uint16, W int32 | uint32](shape []int64, d []W) (*tensor.Tensor, error) {
	all := make([]T, len(d))
	for i, v := range d {
		if all[i] = T(v); W(all[i]) != v {
			return nil, fmt.Errorf("its contents hold %d, which does not fit", v)
		}
	}
	return same(shape, all)
}
