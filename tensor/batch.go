package tensor

import (
	"errors"
	"fmt"
	"slices"
)

// New returns a tensor of zeros. Strings have no zero on the wire and are refused, as
// are unknown types and shapes with an unknown dimension.
func New(d DType, shape []int64) (*Tensor, error) {
	n, err := Elements(shape)
	if err != nil {
		return nil, err
	}
	switch d {
	case Float32:
		return Of(shape, make([]float32, n)), nil
	case Float64:
		return Of(shape, make([]float64, n)), nil
	case Int8:
		return Of(shape, make([]int8, n)), nil
	case Int16:
		return Of(shape, make([]int16, n)), nil
	case Int32:
		return Of(shape, make([]int32, n)), nil
	case Int64:
		return Of(shape, make([]int64, n)), nil
	case Uint8:
		return Of(shape, make([]uint8, n)), nil
	case Uint16:
		return Of(shape, make([]uint16, n)), nil
	case Uint32:
		return Of(shape, make([]uint32, n)), nil
	case Uint64:
		return Of(shape, make([]uint64, n)), nil
	case Bool:
		return Of(shape, make([]bool, n)), nil
	case Float16, BFloat16:
		return NewBits(d, shape, make([]uint16, n)), nil
	default:
		return nil, fmt.Errorf("no zeros of type %s", d)
	}
}

// Row returns row i along the first axis as a tensor of shape [1, …] over the same
// elements. It panics like a slice if i is out of range.
func (t *Tensor) Row(i int64) *Tensor {
	shape := slices.Clone(t.Shape)
	shape[0] = 1
	n := Size(shape)
	row := &Tensor{DType: t.DType, Shape: shape}
	switch d := t.data.(type) {
	case []float32:
		row.data = part(d, i, n)
	case []float64:
		row.data = part(d, i, n)
	case []int8:
		row.data = part(d, i, n)
	case []int16:
		row.data = part(d, i, n)
	case []int32:
		row.data = part(d, i, n)
	case []int64:
		row.data = part(d, i, n)
	case []uint8:
		row.data = part(d, i, n)
	case []uint16:
		row.data = part(d, i, n)
	case []uint32:
		row.data = part(d, i, n)
	case []uint64:
		row.data = part(d, i, n)
	case []bool:
		row.data = part(d, i, n)
	case []string:
		row.data = part(d, i, n)
	}
	return row
}

func part[T Elem](d []T, i, n int64) []T { return d[i*n : (i+1)*n : (i+1)*n] }

// Join returns the tensors one after the other along the first axis, copied. They
// agree in type and in every other dimension.
func Join(tensors ...*Tensor) (*Tensor, error) {
	if len(tensors) == 0 {
		return nil, errors.New("joining no tensors")
	}
	first := tensors[0]
	rows := int64(0)
	for _, t := range tensors {
		if t.DType != first.DType || len(t.Shape) == 0 || len(first.Shape) == 0 || !slices.Equal(t.Shape[1:], first.Shape[1:]) {
			return nil, fmt.Errorf("joining %s %v and %s %v", first.DType, first.Shape, t.DType, t.Shape)
		}
		rows += t.Shape[0]
	}
	shape := slices.Clone(first.Shape)
	shape[0] = rows
	all := &Tensor{DType: first.DType, Shape: shape}
	switch first.data.(type) {
	case []float32:
		all.data = join[float32](tensors)
	case []float64:
		all.data = join[float64](tensors)
	case []int8:
		all.data = join[int8](tensors)
	case []int16:
		all.data = join[int16](tensors)
	case []int32:
		all.data = join[int32](tensors)
	case []int64:
		all.data = join[int64](tensors)
	case []uint8:
		all.data = join[uint8](tensors)
	case []uint16:
		all.data = join[uint16](tensors)
	case []uint32:
		all.data = join[uint32](tensors)
	case []uint64:
		all.data = join[uint64](tensors)
	case []bool:
		all.data = join[bool](tensors)
	case []string:
		all.data = join[string](tensors)
	}
	return all, nil
}

func join[T Elem](tensors []*Tensor) []T {
	parts := make([][]T, len(tensors))
	for i, t := range tensors {
		parts[i], _ = Data[T](t)
	}
	return slices.Concat(parts...)
}
