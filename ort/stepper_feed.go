package ort

import (
	"fmt"
	"runtime"
	"unsafe"

	"trilobite/tensor"
)

// over binds a tensor's elements, pinned. The binding keeps its own reference to the
// value, and its memory is read and written by the run that follows alone.
func (s *Stepper) over(pins *runtime.Pinner, t *tensor.Tensor, v ValueInfo, input int, bind func(value) error) error {
	data, err := elements(t)
	if err != nil {
		return fmt.Errorf("%s: %w", v, err)
	}
	if input >= 0 {
		data = aligned(data, &s.scratch[input])
	}
	x, err := s.s.host.over(pins, data, t.DType, t.Shape)
	if err != nil {
		return fmt.Errorf("%s: %w", v, err)
	}
	defer x.release()
	return bind(x)
}

// aligned returns data, or a copy in scratch that starts at a multiple of 64 bytes. The
// library's loops treat elements before the first such address apart, with another
// rounding in exp and its like: where the garbage collector put a tensor must not show.
func aligned(data []byte, scratch *[]uint64) []byte {
	const line = 64
	offset := func(b []byte) int { return int(-uintptr(unsafe.Pointer(&b[0])) % line) } //nolint:gosec // an address, looked at
	if len(data) == 0 || offset(data) == 0 {
		return data
	}
	if need := (len(data) + line + 7) / 8; len(*scratch) < need {
		*scratch = make([]uint64, need)
	}
	whole := unsafe.Slice((*byte)(unsafe.Pointer(&(*scratch)[0])), 8*len(*scratch)) //nolint:gosec // the same memory, as bytes
	at := offset(whole)
	part := whole[at : at+len(data)]
	copy(part, data)
	return part
}
