package offload_test

import (
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"trilobite/offload"
	"trilobite/offload/offloadtest"
)

func run[T any](work unsafe.Pointer, arg *T) {
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(arg)
	offload.Run(work, unsafe.Pointer(arg))
}

func TestCallsAtOnceGetTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range int32(100) {
		wg.Go(func() {
			for j := range int32(20) {
				d := &offloadtest.Doubling{In: 1000*i + j}
				if run(offloadtest.Twice(), d); d.Out != 2*d.In {
					t.Errorf("twice %d is %d", d.In, d.Out)
				}
			}
		})
	}
	wg.Wait()
}

// TestCallsRunSideBySide would not end if one call waited for another, nor if calls kept the
// goroutines of a single processor from going on. It is not parallel, for it sets GOMAXPROCS.
func TestCallsRunSideBySide(*testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	missing := int32(40)
	var wg sync.WaitGroup
	for range missing {
		wg.Go(func() { run(offloadtest.Meet(), &missing) })
	}
	wg.Wait()
}

func TestCallsInPlace(t *testing.T) {
	t.Parallel()
	d := &offloadtest.Doubling{In: 21}
	if offload.Call(offloadtest.Twice(), unsafe.Pointer(d)); d.Out != 42 {
		t.Errorf("twice 21 is %d", d.Out)
	}
}

func BenchmarkRun(b *testing.B) {
	d := &offloadtest.Doubling{In: 1}
	for b.Loop() {
		run(offloadtest.Twice(), d)
	}
}
