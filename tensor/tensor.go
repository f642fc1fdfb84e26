// Package tensor holds dense arrays: a shape, an element type and the elements in
// row-major order.
//
// It is storage, not arithmetic: ONNX Runtime computes. Start at Tensor; npy.go and
// safetensors.go read the files that other tools write.
package tensor

import "fmt"

// Elem are the Go types that back a Tensor. Float16 and BFloat16 elements are kept
// as their bits in uint16, see NewBits.
type Elem interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | bool | string
}

// Tensor is a dense array. Shape has no negative entries; an empty Shape is a scalar
// with one element. The elements are shared, not copied, by every method here.
type Tensor struct {
	DType DType
	Shape []int64
	data  any // []T for the Elem T that backs DType
}

// Of returns a tensor over data, which it keeps. It panics if the shape's size is
// not len(data): that is a bug in the caller, never bad input.
func Of[T Elem](shape []int64, data []T) *Tensor {
	if Size(shape) != int64(len(data)) {
		panic(fmt.Sprintf("tensor: shape %v does not hold %d elements", shape, len(data)))
	}
	return &Tensor{DType: dtypeOf[T](), Shape: shape, data: data}
}

// NewBits returns a Float16 or BFloat16 tensor over the elements' bits.
func NewBits(d DType, shape []int64, bits []uint16) *Tensor {
	t := Of(shape, bits)
	t.DType = d
	return t
}

// Scalar returns a tensor of shape [] that holds v.
func Scalar[T Elem](v T) *Tensor { return Of(nil, []T{v}) }

// Vector returns a tensor of shape [len(v)].
func Vector[T Elem](v ...T) *Tensor { return Of([]int64{int64(len(v))}, v) }

// Data returns t's elements and whether T backs them.
func Data[T Elem](t *Tensor) ([]T, bool) {
	d, ok := t.data.([]T)
	return d, ok
}

// Raw returns the backing slice as any, for a type switch.
func (t *Tensor) Raw() any { return t.data }

// Len returns the number of elements.
func (t *Tensor) Len() int64 { return Size(t.Shape) }

// Reshape returns a tensor of another shape over the same elements.
func (t *Tensor) Reshape(shape ...int64) (*Tensor, error) {
	if Size(shape) != t.Len() {
		return nil, fmt.Errorf("shape %v does not hold the %d elements of shape %v", shape, t.Len(), t.Shape)
	}
	return &Tensor{DType: t.DType, Shape: shape, data: t.data}, nil
}

// Size returns the number of elements of a shape: 1 for a scalar.
func Size(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}

func dtypeOf[T Elem]() DType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case bool:
		return Bool
	default:
		return String
	}
}
