package torch

import (
	"fmt"
	"slices"

	"trilobite/tensor"
)

// storages hands out the bytes of a container's storages and bounds what is made of
// them: strides of 0 let a file of a few bytes describe a tensor of any size.
type storages struct {
	load   func(*storage) ([]byte, error) // little-endian, exactly n elements
	cache  map[string][]byte
	budget int64 // bytes of tensors still allowed
}

func newStorages(fileSize int64, load func(*storage) ([]byte, error)) *storages {
	// Tied weights are stored once and read several times; more than that is an attack.
	return &storages{load: load, cache: map[string][]byte{}, budget: 4*fileSize + 64<<20}
}

// tensor returns the elements of a view, in row-major order.
func (s *storages) tensor(v *view) (*tensor.Tensor, error) {
	n, err := tensor.Elements(v.shape)
	if err != nil {
		return nil, err
	}
	size := int64(v.storage.dtype.Size())
	if n > s.budget/size {
		return nil, fmt.Errorf("shape %v of %v is too large for this file", v.shape, v.storage.dtype)
	}
	s.budget -= n * size
	last := v.offset // the furthest element, if there is any
	for i, d := range v.shape {
		if n > 0 && d > 1 && v.stride[i] > (v.storage.n-last)/(d-1) {
			return nil, fmt.Errorf("shape %v with strides %v goes beyond the storage's %d elements", v.shape, v.stride, v.storage.n)
		}
		last += max(d-1, 0) * v.stride[i] * min(n, 1)
	}
	if n > 0 && last >= v.storage.n {
		return nil, fmt.Errorf("shape %v at %d goes beyond the storage's %d elements", v.shape, v.offset, v.storage.n)
	}
	data, ok := s.cache[v.storage.key]
	if !ok {
		if data, err = s.load(v.storage); err != nil {
			return nil, fmt.Errorf("storage %.50q: %w", v.storage.key, err)
		}
		s.cache[v.storage.key] = data
	}
	if int64(len(data)) != v.storage.n*size {
		return nil, fmt.Errorf("storage %.50q has %d bytes, not %d elements of %v", v.storage.key, len(data), v.storage.n, v.storage.dtype)
	}
	if n == 0 {
		data = nil
	} else if data = data[v.offset*size:]; contiguous(v) {
		data = data[:n*size]
	} else {
		data = gather(data, v, n, size)
	}
	return tensor.FromBytes(v.storage.dtype, v.shape, data)
}

// contiguous reports whether the elements already lie in row-major order.
func contiguous(v *view) bool {
	want := int64(1)
	for i, size := range slices.Backward(v.shape) {
		if size != 1 && v.stride[i] != want {
			return false
		}
		want *= size
	}
	return true
}

func gather(data []byte, v *view, n, size int64) []byte {
	out := make([]byte, 0, n*size)
	index := make([]int64, len(v.shape))
	for at := int64(0); n > 0; n-- {
		out = append(out, data[at*size:(at+1)*size]...)
		for a := range slices.Backward(index) {
			index[a]++
			if at += v.stride[a]; index[a] < v.shape[a] {
				break
			}
			at -= index[a] * v.stride[a]
			index[a] = 0
		}
	}
	return out
}
