package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"trilobite/onnx/internal/onnxpb"
	"trilobite/tensor"
)

// tensor reads elements in any of the encodings of TensorProto: little-endian bytes,
// a list of the wire's own types, or a range of another file. Sizes are compared with
// what is there before anything is allocated. The message's bytes are let go, so that
// a large model is not held twice.
func (p *parser) tensor(pb *onnxpb.TensorProto) (*tensor.Tensor, error) {
	d := tensor.DType(pb.GetDataType())
	if !known(d) {
		return nil, fmt.Errorf("element type %s is not supported", onnxpb.TensorProto_DataType(d))
	}
	if pb.GetSegment() != nil {
		return nil, errors.New("tensors in segments are not supported")
	}
	n, err := elements(pb.GetDims())
	if err != nil {
		return nil, err
	}
	shape := append([]int64{}, pb.GetDims()...)
	if pb.GetDataLocation() == onnxpb.TensorProto_EXTERNAL {
		return p.files.tensor(pb, d, shape, n)
	}
	if pb.RawData == nil {
		return typedTensor(pb, d, shape, n)
	}
	if d == tensor.String {
		return nil, errors.New("strings cannot be raw bytes")
	}
	if want := n * int64(d.Size()); int64(len(pb.GetRawData())) != want {
		return nil, fmt.Errorf("%d bytes, but %s%v has %d", len(pb.GetRawData()), d, shape, want)
	}
	t := newTensor(d, shape, n)
	_, err = binary.Decode(pb.GetRawData(), binary.LittleEndian, t.Raw())
	pb.RawData = nil
	return t, err
}

// typedTensor reads the fields float_data, int32_data and so on.
func typedTensor(pb *onnxpb.TensorProto, d tensor.DType, shape []int64, n int64) (*tensor.Tensor, error) {
	var have int
	switch d {
	case tensor.Float32:
		have = len(pb.GetFloatData())
	case tensor.Float64:
		have = len(pb.GetDoubleData())
	case tensor.Int64:
		have = len(pb.GetInt64Data())
	case tensor.Uint32, tensor.Uint64:
		have = len(pb.GetUint64Data())
	case tensor.String:
		have = len(pb.GetStringData())
	default:
		have = len(pb.GetInt32Data())
	}
	if int64(have) != n {
		return nil, fmt.Errorf("%d elements, but %s%v has %d", have, d, shape, n)
	}
	t := newTensor(d, shape, n)
	ok := true
	switch dst := t.Raw().(type) {
	case []float32:
		copy(dst, pb.GetFloatData())
	case []float64:
		copy(dst, pb.GetDoubleData())
	case []int64:
		copy(dst, pb.GetInt64Data())
	case []uint64:
		copy(dst, pb.GetUint64Data())
	case []uint32:
		ok = narrow(dst, pb.GetUint64Data())
	case []int32:
		copy(dst, pb.GetInt32Data())
	case []int16:
		ok = narrow(dst, pb.GetInt32Data())
	case []uint16: // also the bits of float16 and bfloat16
		ok = narrow(dst, pb.GetInt32Data())
	case []int8:
		ok = narrow(dst, pb.GetInt32Data())
	case []uint8:
		ok = narrow(dst, pb.GetInt32Data())
	case []bool:
		for i, v := range pb.GetInt32Data() {
			dst[i] = v != 0
		}
	case []string:
		for i, v := range pb.GetStringData() {
			dst[i] = string(v)
		}
	}
	if !ok {
		return nil, fmt.Errorf("an element is out of the range of %s", d)
	}
	return t, nil
}

// narrow copies src to a smaller type and reports whether every element fits.
func narrow[D int8 | int16 | uint8 | uint16 | uint32, S int32 | uint64](dst []D, src []S) bool {
	for i, v := range src {
		if dst[i] = D(v); S(dst[i]) != v {
			return false
		}
	}
	return true
}

// newTensor returns n zeros of a type that known accepts.
func newTensor(d tensor.DType, shape []int64, n int64) *tensor.Tensor {
	switch d {
	case tensor.Float32:
		return tensor.Of(shape, make([]float32, n))
	case tensor.Float64:
		return tensor.Of(shape, make([]float64, n))
	case tensor.Int8:
		return tensor.Of(shape, make([]int8, n))
	case tensor.Int16:
		return tensor.Of(shape, make([]int16, n))
	case tensor.Int32:
		return tensor.Of(shape, make([]int32, n))
	case tensor.Int64:
		return tensor.Of(shape, make([]int64, n))
	case tensor.Uint8:
		return tensor.Of(shape, make([]uint8, n))
	case tensor.Uint16:
		return tensor.Of(shape, make([]uint16, n))
	case tensor.Uint32:
		return tensor.Of(shape, make([]uint32, n))
	case tensor.Uint64:
		return tensor.Of(shape, make([]uint64, n))
	case tensor.Bool:
		return tensor.Of(shape, make([]bool, n))
	case tensor.String:
		return tensor.Of(shape, make([]string, n))
	default:
		return tensor.NewBits(d, shape, make([]uint16, n))
	}
}

// elements returns the number of elements of a shape, which must be one of a tensor
// that could be stored: no negative dimension, less than 2^59 elements even without
// the dimensions that are 0.
func elements(shape []int64) (int64, error) {
	n, zero := int64(1), false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape %v has a negative dimension", Shape(shape))
		case d == 0:
			zero = true
		case n > math.MaxInt64>>4/d:
			return 0, fmt.Errorf("shape %v is too large", Shape(shape))
		default:
			n *= d
		}
	}
	if zero {
		return 0, nil
	}
	return n, nil
}
