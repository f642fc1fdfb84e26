package inference

import (
	"encoding/binary"
	"errors"
	"fmt"

	"trilobite/tensor"
)

// fromBinary reads a tensor's elements as the protocol's binary data has them:
// little-endian in rows, BYTES each after its length in 4 bytes.
func fromBinary(d tensor.DType, shape []int64, data []byte) (*tensor.Tensor, error) {
	if d != tensor.String {
		return tensor.FromBytes(d, shape, data)
	}
	n, err := tensor.Elements(shape)
	if err != nil {
		return nil, err
	}
	var all []string
	for len(data) > 0 {
		if len(data) < 4 {
			return nil, errors.New("binary BYTES end within an element's length")
		}
		size := int64(binary.LittleEndian.Uint32(data))
		if data = data[4:]; size > int64(len(data)) {
			return nil, fmt.Errorf("binary BYTES have an element of %d bytes where %d are left", size, len(data))
		}
		all, data = append(all, string(data[:size])), data[size:]
	}
	if int64(len(all)) != n {
		return nil, fmt.Errorf("shape %v does not hold the %d elements of its binary BYTES", shape, len(all))
	}
	return tensor.Of(shape, all), nil
}

// toBinary is the opposite of fromBinary.
func toBinary(t *tensor.Tensor) ([]byte, error) {
	all, ok := tensor.Data[string](t)
	if !ok {
		return t.Bytes()
	}
	var out []byte
	for _, s := range all {
		out = append(binary.LittleEndian.AppendUint32(out, uint32(len(s))), s...)
	}
	return out, nil
}
