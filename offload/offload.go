// Package offload runs long C functions on threads of their own while the goroutine that
// asked for them waits as for a socket.
//
// A goroutine that calls C for milliseconds keeps one of the Go scheduler's places: the
// runtime's monitor thread looks at it every few dozen microseconds, takes the place away
// and gives it to another thread, and what C computes is interrupted each time, 40 times in
// an inference of 18 ms. Here the scheduler sees nobody at work and sleeps: a twentieth more
// requests on two busy cores (bench/RESULTS.md).
//
// A call costs switches of threads, 20 to 50 µs: it is for what takes longer.
package offload

/*
#cgo CFLAGS: -std=gnu11 -O2
#include "offload.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// thread is a C thread. Pipes carry what it is to do and, with a byte for each, that it is
// done.
type thread struct {
	give C.int
	done *os.File
}

// idle are the threads that have nothing to do, the last one used on top: its caches are
// warm. They are the process's as Go's own threads are: never more than calls at once, and
// none ends.
var idle struct {
	sync.Mutex

	threads []*thread
	starter unsafe.Pointer // of new ones, a tl_starter; nil: the system
}

// StartBy has threads that are needed from now on started by a C function, a tl_starter
// (offload.h): for a library that treats threads of its own better than others. All work
// shares them nevertheless: threads that one kind of work had to itself would wake up on
// processors where those of another are busy.
func StartBy(starter unsafe.Pointer) {
	idle.Lock()
	defer idle.Unlock()
	idle.starter = starter
}

// Run calls the C function work, a void (*)(void *), with arg and returns when it has
// returned. arg is memory of C's or pinned.
func Run(work, arg unsafe.Pointer) {
	t, err := take()
	if err != nil {
		Call(work, arg) // the system has no thread to give
		return
	}
	C.tl_give(t.give, work, arg)
	var b [1]byte
	if _, err := t.done.Read(b[:]); err != nil {
		panic(fmt.Sprintf("offload: %v", err)) // the pipe is ours, and open
	}
	idle.Lock()
	defer idle.Unlock()
	idle.threads = append(idle.threads, t)
}

// Call is Run on the caller's own thread, for what takes less time than changing threads.
func Call(work, arg unsafe.Pointer) { C.tl_call(work, arg) }

// take returns an idle thread, or a new one.
func take() (*thread, error) {
	idle.Lock()
	defer idle.Unlock()
	n := len(idle.threads)
	if n == 0 {
		return start(idle.starter)
	}
	t := idle.threads[n-1]
	idle.threads = idle.threads[:n-1]
	return t, nil
}

func start(starter unsafe.Pointer) (*thread, error) {
	var give, done C.int
	if no := C.tl_thread(starter, &give, &done); no != 0 {
		return nil, syscall.Errno(no)
	}
	_ = syscall.SetNonblock(int(done), true) // a read would hold a thread of Go's otherwise, and work
	return &thread{give, os.NewFile(uintptr(done), "offload")}, nil
}
