package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
)

// FromBytes returns a tensor over the elements that data holds as little-endian,
// row-major bytes, the form of .npy, safetensors and ONNX raw data. The elements are
// copied. Bool takes any non-zero byte as true. It fails where shape is invalid or
// does not need exactly len(data) bytes; String has no such form.
func FromBytes(d DType, shape []int64, data []byte) (*Tensor, error) {
	size := d.Size()
	if size == 0 {
		return nil, fmt.Errorf("%v elements have no fixed size", d)
	}
	n, err := Elements(shape)
	if err != nil {
		return nil, err
	}
	if n > math.MaxInt64/int64(size) || n*int64(size) != int64(len(data)) {
		return nil, fmt.Errorf("shape %v of %v does not take %d bytes", shape, d, len(data))
	}
	le := binary.LittleEndian
	t := &Tensor{DType: d, Shape: shape}
	switch d {
	case Float32:
		t.data = elements(data, 4, func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) })
	case Float64:
		t.data = elements(data, 8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) })
	case Uint8:
		t.data = append(make([]uint8, 0, len(data)), data...)
	case Int8:
		t.data = elements(data, 1, func(b []byte) int8 { return int8(b[0]) })
	case Bool:
		t.data = elements(data, 1, func(b []byte) bool { return b[0] != 0 })
	case Uint16, Float16, BFloat16:
		t.data = elements(data, 2, le.Uint16)
	case Int16:
		t.data = elements(data, 2, func(b []byte) int16 { return int16(le.Uint16(b)) })
	case Int32:
		t.data = elements(data, 4, func(b []byte) int32 { return int32(le.Uint32(b)) })
	case Uint32:
		t.data = elements(data, 4, le.Uint32)
	case Int64:
		t.data = elements(data, 8, func(b []byte) int64 { return int64(le.Uint64(b)) })
	case Uint64:
		t.data = elements(data, 8, le.Uint64)
	case Invalid, String: // size is 0
	}
	return t, nil
}

// Bytes returns t's elements as little-endian, row-major bytes; it fails for String.
func (t *Tensor) Bytes() ([]byte, error) {
	le := binary.LittleEndian
	out := make([]byte, 0, t.Len()*int64(t.DType.Size()))
	switch v := t.data.(type) {
	case []float32:
		for _, x := range v {
			out = le.AppendUint32(out, math.Float32bits(x))
		}
	case []float64:
		for _, x := range v {
			out = le.AppendUint64(out, math.Float64bits(x))
		}
	case []uint8:
		out = append(out, v...)
	case []int8:
		for _, x := range v {
			out = append(out, byte(x))
		}
	case []bool:
		for _, x := range v {
			if x {
				out = append(out, 1)
			} else {
				out = append(out, 0)
			}
		}
	case []uint16:
		for _, x := range v {
			out = le.AppendUint16(out, x)
		}
	case []int16:
		for _, x := range v {
			out = le.AppendUint16(out, uint16(x))
		}
	case []int32:
		for _, x := range v {
			out = le.AppendUint32(out, uint32(x))
		}
	case []uint32:
		for _, x := range v {
			out = le.AppendUint32(out, x)
		}
	case []int64:
		for _, x := range v {
			out = le.AppendUint64(out, uint64(x))
		}
	case []uint64:
		for _, x := range v {
			out = le.AppendUint64(out, x)
		}
	default:
		return nil, fmt.Errorf("%v elements have no fixed size", t.DType)
	}
	return out, nil
}

// Elements returns the number of elements of a shape from outside; unlike Size it
// fails on a negative dimension and on a product beyond int64.
func Elements(shape []int64) (int64, error) {
	n, overflow := int64(1), false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		case d == 0:
			n, overflow = 0, false
		case n > math.MaxInt64/d:
			overflow = true
		default:
			n *= d
		}
	}
	if overflow && n != 0 {
		return 0, fmt.Errorf("shape %v is too large", shape)
	}
	return n, nil
}

func elements[T any](data []byte, size int, get func([]byte) T) []T {
	out := make([]T, len(data)/size)
	for i := range out {
		out[i] = get(data[i*size : i*size+size])
	}
	return out
}
