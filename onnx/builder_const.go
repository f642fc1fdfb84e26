package onnx

import (
	"fmt"

	"trilobite/tensor"
)

// Ints declares an int64 vector without a name, as shapes, axes and pads are given.
func (b *Builder) Ints(v ...int64) *Value {
	return b.Const("", tensor.Of([]int64{int64(len(v))}, append([]int64{}, v...)))
}

// Int declares an int64 scalar without a name.
func (b *Builder) Int(v int64) *Value { return b.Const("", tensor.Scalar(v)) }

// Scalar declares a scalar of a numeric type without a name: b.Scalar(x.DType, 0.5).
func (b *Builder) Scalar(dtype tensor.DType, v float64) *Value {
	t, err := scalar(dtype, v)
	if err != nil {
		b.fail(err)
		return &Value{DType: dtype, Shape: Shape{}}
	}
	return b.Const("", t)
}

func scalar(dtype tensor.DType, v float64) (*tensor.Tensor, error) {
	switch dtype {
	case tensor.Float32:
		return tensor.Scalar(float32(v)), nil
	case tensor.Float64:
		return tensor.Scalar(v), nil
	case tensor.Float16:
		return tensor.NewBits(dtype, nil, []uint16{halfBits(float32(v))}), nil
	case tensor.BFloat16:
		return tensor.NewBits(dtype, nil, []uint16{bfloatBits(float32(v))}), nil
	case tensor.Int8:
		return tensor.Scalar(int8(v)), nil
	case tensor.Int16:
		return tensor.Scalar(int16(v)), nil
	case tensor.Int32:
		return tensor.Scalar(int32(v)), nil
	case tensor.Int64:
		return tensor.Scalar(int64(v)), nil
	case tensor.Uint8:
		return tensor.Scalar(uint8(v)), nil
	case tensor.Uint16:
		return tensor.Scalar(uint16(v)), nil
	case tensor.Uint32:
		return tensor.Scalar(uint32(v)), nil
	case tensor.Uint64:
		return tensor.Scalar(uint64(v)), nil
	default:
		return nil, fmt.Errorf("no scalar %v of type %s", v, dtype)
	}
}
