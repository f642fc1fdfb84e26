package inference

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"trilobite/tensor"
)

// fromJSON reads a tensor's elements from JSON: arrays, nested as the shape or flat, in
// rows. BYTES are base64, for no JSON string holds a picture.
func fromJSON(d tensor.DType, shape []int64, data json.RawMessage) (*tensor.Tensor, error) {
	n, err := tensor.Elements(shape)
	if err != nil {
		return nil, err
	}
	switch d {
	case tensor.Bool:
		return elements(shape, n, data, func(s []byte) (bool, error) { return strconv.ParseBool(string(s)) })
	case tensor.Uint8:
		return elements(shape, n, data, unsigned[uint8](8))
	case tensor.Uint16:
		return elements(shape, n, data, unsigned[uint16](16))
	case tensor.Uint32:
		return elements(shape, n, data, unsigned[uint32](32))
	case tensor.Uint64:
		return elements(shape, n, data, unsigned[uint64](64))
	case tensor.Int8:
		return elements(shape, n, data, signed[int8](8))
	case tensor.Int16:
		return elements(shape, n, data, signed[int16](16))
	case tensor.Int32:
		return elements(shape, n, data, signed[int32](32))
	case tensor.Int64:
		return elements(shape, n, data, signed[int64](64))
	case tensor.Float32:
		return elements(shape, n, data, func(s []byte) (float32, error) {
			v, err := strconv.ParseFloat(string(s), 32)
			return float32(v), err
		})
	case tensor.Float64:
		return elements(shape, n, data, func(s []byte) (float64, error) { return strconv.ParseFloat(string(s), 64) })
	case tensor.String:
		return elements(shape, n, data, func(s []byte) (string, error) {
			var text string
			if err := json.Unmarshal(s, &text); err != nil {
				return "", err
			}
			raw, err := base64.StdEncoding.DecodeString(text)
			return string(raw), err
		})
	default:
		return nil, fmt.Errorf("%s has no form in JSON: send binary data", datatype(d))
	}
}

func unsigned[T uint8 | uint16 | uint32 | uint64](bits int) func([]byte) (T, error) {
	return func(s []byte) (T, error) {
		v, err := strconv.ParseUint(string(s), 10, bits)
		return T(v), err
	}
}

func signed[T int8 | int16 | int32 | int64](bits int) func([]byte) (T, error) {
	return func(s []byte) (T, error) {
		v, err := strconv.ParseInt(string(s), 10, bits)
		return T(v), err
	}
}

// elements reads n elements out of valid JSON. Memory grows with the text, not with what
// the shape claims.
func elements[T tensor.Elem](shape []int64, n int64, data []byte, parse func([]byte) (T, error)) (*tensor.Tensor, error) {
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '[' {
		return nil, errors.New("data is no array")
	}
	all := make([]T, 0, min(n, int64(len(data)/2+1)))
	for i := 0; i < len(data); {
		switch data[i] {
		case '[', ']', ',', ' ', '\t', '\r', '\n':
			i++
			continue
		case '{':
			return nil, errors.New("data holds an object")
		}
		end := i + scalar(data[i:])
		v, err := parse(data[i:end])
		if err != nil {
			return nil, fmt.Errorf("data holds %.40s, which does not fit", data[i:end])
		}
		if int64(len(all)) == n {
			return nil, fmt.Errorf("data has more than the %d elements of shape %v", n, shape)
		}
		all, i = append(all, v), end
	}
	if int64(len(all)) != n {
		return nil, fmt.Errorf("data has %d elements, shape %v holds %d", len(all), shape, n)
	}
	return tensor.Of(shape, all), nil
}

// scalar returns the length of the string, number or word that valid JSON begins with.
func scalar(data []byte) int {
	if data[0] != '"' {
		if end := bytes.IndexAny(data, ",] \t\r\n"); end > 0 {
			return end
		}
		return len(data)
	}
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// toJSON appends a tensor's elements as a flat array.
func toJSON(out []byte, t *tensor.Tensor) ([]byte, error) {
	switch d := t.Raw().(type) {
	case []float32:
		return floats(out, d, 32)
	case []float64:
		return floats(out, d, 64)
	case []bool:
		return list(out, d, strconv.AppendBool), nil
	case []uint8:
		return integers(out, d), nil
	case []uint16:
		if t.DType == tensor.Uint16 {
			return integers(out, d), nil
		}
	case []uint32:
		return integers(out, d), nil
	case []uint64:
		return list(out, d, func(out []byte, v uint64) []byte { return strconv.AppendUint(out, v, 10) }), nil
	case []int8:
		return integers(out, d), nil
	case []int16:
		return integers(out, d), nil
	case []int32:
		return integers(out, d), nil
	case []int64:
		return integers(out, d), nil
	}
	return nil, fmt.Errorf("%s has no form in JSON: ask for binary_data", datatype(t.DType))
}

func integers[T uint8 | uint16 | uint32 | int8 | int16 | int32 | int64](out []byte, d []T) []byte {
	return list(out, d, func(out []byte, v T) []byte { return strconv.AppendInt(out, int64(v), 10) })
}

func floats[T float32 | float64](out []byte, d []T, bits int) ([]byte, error) {
	for _, v := range d {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, errors.New("it has elements that are no numbers, which JSON cannot hold: ask for binary_data")
		}
	}
	return list(out, d, func(out []byte, v T) []byte { return strconv.AppendFloat(out, float64(v), 'g', -1, bits) }), nil
}

func list[T any](out []byte, d []T, add func([]byte, T) []byte) []byte {
	out = append(out, '[')
	for i, v := range d {
		if i > 0 {
			out = append(out, ',')
		}
		out = add(out, v)
	}
	return append(out, ']')
}
