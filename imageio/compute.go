package imageio

import (
	"unsafe"

	"trilobite/offload"
)

// compute calls the C function work with arg, which is pinned: on a thread of its own where
// the pixels that it makes are worth one.
func compute(pixels int, work, arg unsafe.Pointer) {
	const worth = 1 << 16 // 0.1 ms and more of work
	if pixels < worth {
		offload.Call(work, arg)
	} else {
		offload.Run(work, arg)
	}
}
