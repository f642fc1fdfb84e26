package ort

import (
	"fmt"
	"runtime"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"

	"trilobite/onnx"
	"trilobite/tensor"
)

// wrap returns an ONNX Runtime value over t's own elements: nothing is copied, what a
// run writes into the value is in t. The elements are pinned until pins is unpinned,
// because the library keeps their address beyond the call.
func wrap(t *tensor.Tensor, pins *runtime.Pinner) (ortgo.Value, error) {
	switch d := t.Raw().(type) {
	case []float32:
		return wrapSlice(t, d, pins)
	case []float64:
		return wrapSlice(t, d, pins)
	case []int8:
		return wrapSlice(t, d, pins)
	case []int16:
		return wrapSlice(t, d, pins)
	case []int32:
		return wrapSlice(t, d, pins)
	case []int64:
		return wrapSlice(t, d, pins)
	case []uint8:
		return wrapSlice(t, d, pins)
	case []uint16:
		if t.DType == tensor.Uint16 {
			return wrapSlice(t, d, pins)
		}
		return wrapBits(t, d, pins)
	case []uint32:
		return wrapSlice(t, d, pins)
	case []uint64:
		return wrapSlice(t, d, pins)
	case []bool:
		return wrapSlice(t, d, pins)
	default:
		return nil, fmt.Errorf("a %s tensor cannot be run", t.DType)
	}
}

func wrapSlice[T ortgo.TensorData](t *tensor.Tensor, data []T, pins *runtime.Pinner) (ortgo.Value, error) {
	if len(t.Shape) == 0 {
		return ortgo.NewScalar(data[0]) // a copy: see readScalar
	}
	if len(data) > 0 {
		pins.Pin(&data[0])
	}
	return ortgo.NewTensor(ortgo.Shape(t.Shape), data)
}

// wrapBits wraps float16 and bfloat16, which the binding knows as bytes only.
func wrapBits(t *tensor.Tensor, bits []uint16, pins *runtime.Pinner) (ortgo.Value, error) {
	if len(bits) == 0 || len(t.Shape) == 0 {
		return nil, fmt.Errorf("a %s tensor of shape %v cannot be run", t.DType, t.Shape)
	}
	pins.Pin(&bits[0])
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&bits[0])), 2*len(bits)) //nolint:gosec // the same pinned memory, as bytes
	return ortgo.NewCustomDataTensor(ortgo.Shape(t.Shape), raw, ortgo.TensorElementDataType(t.DType))
}

// readScalar copies what a run wrote into v to t, where v is a scalar: the binding
// keeps an element of its own for these.
func readScalar(v ortgo.Value, t *tensor.Tensor) {
	switch v := v.(type) {
	case *ortgo.Scalar[float32]:
		store(t, v.GetData())
	case *ortgo.Scalar[float64]:
		store(t, v.GetData())
	case *ortgo.Scalar[int32]:
		store(t, v.GetData())
	case *ortgo.Scalar[int64]:
		store(t, v.GetData())
	case *ortgo.Scalar[uint8]:
		store(t, v.GetData())
	case *ortgo.Scalar[bool]:
		store(t, v.GetData())
	}
}

func store[T tensor.Elem](t *tensor.Tensor, x T) {
	if d, ok := tensor.Data[T](t); ok {
		d[0] = x
	}
}

// unwrap returns the tensor of an output that the library allocated. The binding has
// copied the elements to Go memory by then.
func unwrap(v ortgo.Value) (*tensor.Tensor, error) {
	switch v := v.(type) {
	case *ortgo.Tensor[float32]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[float64]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[int8]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[int16]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[int32]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[int64]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[uint8]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[uint16]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[uint32]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[uint64]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	case *ortgo.Tensor[bool]:
		return tensor.Of(v.GetShape(), v.GetData()), nil
	default:
		return nil, fmt.Errorf("output is a %T, which has no tensor", v)
	}
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
