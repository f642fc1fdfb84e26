package tfjs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"trilobite/tensor"
)

// weightGroup is an entry of weightsManifest: its weights lie one after another in
// the concatenated bytes of its files, little-endian (tfjs-core io/types.ts).
type weightGroup struct {
	Paths   []string     `json:"paths"`
	Weights []weightSpec `json:"weights"`
}

type weightSpec struct {
	Name         string        `json:"name"`
	Shape        []int64       `json:"shape"`
	DType        string        `json:"dtype"`
	Quantization *quantization `json:"quantization"`
}

// quantization says how a weight is stored: uint8 and uint16 stand for
// q·scale + min, float16 for itself.
type quantization struct {
	DType string  `json:"dtype"`
	Scale float64 `json:"scale"`
	Min   float64 `json:"min"`
}

// readWeights reads every group's shards and cuts and dequantises the weights.
func readWeights(groups []weightGroup, shard func(string, int64) ([]byte, error)) (map[string]*tensor.Tensor, error) {
	weights := map[string]*tensor.Tensor{}
	left := int64(maxWeights)
	for _, g := range groups {
		var data []byte
		for _, p := range g.Paths {
			if !fs.ValidPath(p) || p == "." {
				return nil, fmt.Errorf("weight file %q is not a name beside model.json", p)
			}
			b, err := shard(p, left)
			if err != nil {
				return nil, fmt.Errorf("reading weight file %q: %w", p, err)
			}
			left -= int64(len(b))
			if len(g.Paths) == 1 {
				data = b
			} else {
				data = append(data, b...)
			}
		}
		for _, w := range g.Weights {
			if weights[w.Name] != nil {
				return nil, fmt.Errorf("two weights named %q", w.Name)
			}
			t, rest, err := w.read(data)
			if err != nil {
				return nil, fmt.Errorf("weight %q: %w", w.Name, err)
			}
			weights[w.Name], data = t, rest
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("%d bytes left after the last weight of %q", len(data), g.Paths)
		}
	}
	return weights, nil
}

// read takes the weight's elements off the front of data.
func (w weightSpec) read(data []byte) (t *tensor.Tensor, rest []byte, err error) {
	stored := w.DType
	if w.Quantization != nil {
		stored = w.Quantization.DType
	}
	size, ok := map[string]int{"float32": 4, "int32": 4, "bool": 1, "uint8": 1, "uint16": 2, "float16": 2, "string": 4}[stored]
	if !ok {
		return nil, nil, fmt.Errorf("unknown element type %q", stored)
	}
	n, err := count(w.Shape, len(data)/size)
	if err != nil {
		return nil, nil, err
	}
	if w.DType == "string" {
		return w.readStrings(data, n)
	}
	elems, rest := data[:n*size], data[n*size:]
	switch {
	case stored == "float32" && w.Quantization == nil:
		return tensor.Of(w.Shape, decode(elems, 4, func(b []byte) float32 {
			return math.Float32frombits(binary.LittleEndian.Uint32(b))
		})), rest, nil
	case stored == "int32" && w.Quantization == nil:
		return tensor.Of(w.Shape, decode(elems, 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })), rest, nil
	case stored == "bool" && w.Quantization == nil:
		return tensor.Of(w.Shape, decode(elems, 1, func(b []byte) bool { return b[0] != 0 })), rest, nil
	case stored == "float16" && w.DType == "float32":
		return tensor.Of(w.Shape, decode(elems, 2, func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) })), rest, nil
	case w.Quantization == nil || stored != "uint8" && stored != "uint16":
		return nil, nil, fmt.Errorf("element type %s stored as %s", w.DType, stored)
	}
	// tfjs-core computes in float64 and stores the result (io_utils.ts, decodeWeights).
	q := func(b []byte) float64 {
		v := float64(b[0])
		if size == 2 {
			v = float64(binary.LittleEndian.Uint16(b))
		}
		return v*w.Quantization.Scale + w.Quantization.Min
	}
	switch w.DType {
	case "float32":
		return tensor.Of(w.Shape, decode(elems, size, func(b []byte) float32 { return float32(q(b)) })), rest, nil
	case "int32":
		return tensor.Of(w.Shape, decode(elems, size, func(b []byte) int32 { return int32(math.Floor(q(b) + 0.5)) })), rest, nil
	default:
		return nil, nil, fmt.Errorf("element type %s stored as %s", w.DType, stored)
	}
}

// readStrings reads n strings, each after its length in four bytes.
func (w weightSpec) readStrings(data []byte, n int) (*tensor.Tensor, []byte, error) {
	out := make([]string, n)
	for i := range out {
		if len(data) < 4 {
			return nil, nil, errors.New("the strings are cut short")
		}
		size := uint64(binary.LittleEndian.Uint32(data))
		data = data[4:]
		if uint64(len(data)) < size {
			return nil, nil, errors.New("the strings are cut short")
		}
		out[i], data = string(data[:size]), data[size:]
	}
	return tensor.Of(w.Shape, out), data, nil
}

func decode[T tensor.Elem](data []byte, size int, elem func([]byte) T) []T {
	out := make([]T, len(data)/size)
	for i := range out {
		out[i] = elem(data[i*size:])
	}
	return out
}

// count returns the elements of a shape, of which there may be at most limit.
func count(shape []int64, limit int) (int, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("shape %v has more than %d axes", shape, maxRank)
	}
	n, empty := int64(1), false
	for _, d := range shape {
		switch {
		case d < 0 || d > maxWeights:
			return 0, fmt.Errorf("shape %v has an impossible axis", shape)
		case d == 0:
			empty = true
		case n > int64(limit)/d:
			n = int64(limit) + 1 // too many, unless a later axis is 0
		default:
			n *= d
		}
	}
	if empty {
		return 0, nil
	}
	if n > int64(limit) {
		return 0, fmt.Errorf("shape %v needs more than the %d elements in the weight files", shape, limit)
	}
	return int(n), nil
}

// half converts IEEE 754 binary16 bits.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0:
		v := float32(frac) / (1 << 24) // zero and subnormals, exact in float32
		return math.Float32frombits(sign | math.Float32bits(v))
	case 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	default:
		return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
	}
}
