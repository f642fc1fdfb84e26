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

// TestStartBy: threads come from where they are to come from; where there are none, work is
// done all the same. It is not parallel, for others need threads.
func TestStartBy(t *testing.T) { //nolint:paralleltest // others need threads
	offload.StartBy(offloadtest.Refuse())
	defer offload.StartBy(nil)
	missing := int32(100) // more than other tests have left idle
	var wg sync.WaitGroup
	for range missing {
		wg.Go(func() { run(offloadtest.Meet(), &missing) })
	}
	wg.Wait()
	if offloadtest.Refused() == 0 {
		t.Error("nobody asked for a thread")
	}
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
