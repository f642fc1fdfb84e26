package ort

import (
	"fmt"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"

	"trilobite/onnx"
	"trilobite/tensor"
)

// tensor returns a copy of a tensor that the library allocated.
func (v value) tensor() (*tensor.Tensor, error) {
	dtype, shape, err := v.describe()
	if err != nil {
		return nil, err
	}
	t, err := tensor.New(dtype, shape)
	if err != nil {
		return nil, err
	}
	to, err := elements(t)
	if err != nil {
		return nil, err
	}
	from, err := v.bytes(len(to))
	copy(to, from)
	return t, err
}

// infos translates the binding's descriptions. ONNX Runtime and package tensor number
// element types alike, after onnx.proto.
func infos(in []ortgo.InputOutputInfo, kind string) ([]ValueInfo, error) {
	out := make([]ValueInfo, len(in))
	for i, v := range in {
		if v.OrtValueType != ortgo.ONNXTypeTensor {
			return nil, fmt.Errorf("%s %q is no tensor", kind, v.Name)
		}
		out[i] = ValueInfo{Name: v.Name, DType: tensor.DType(v.DataType), Shape: onnx.Shape(v.Dimensions)}
	}
	return out, nil
}

// elements returns a tensor's elements as bytes, the same memory.
func elements(t *tensor.Tensor) ([]byte, error) {
	switch d := t.Raw().(type) {
	case []float32:
		return bytesOf(d), nil
	case []float64:
		return bytesOf(d), nil
	case []int8:
		return bytesOf(d), nil
	case []int16:
		return bytesOf(d), nil
	case []int32:
		return bytesOf(d), nil
	case []int64:
		return bytesOf(d), nil
	case []uint8:
		return d, nil
	case []uint16: // float16 and bfloat16 too
		return bytesOf(d), nil
	case []uint32:
		return bytesOf(d), nil
	case []uint64:
		return bytesOf(d), nil
	case []bool:
		return bytesOf(d), nil
	default:
		return nil, fmt.Errorf("a %s tensor cannot be run", t.DType)
	}
}

func bytesOf[T any](d []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(d))), len(d)*int(unsafe.Sizeof(zero))) //nolint:gosec // the same memory, as bytes
}
