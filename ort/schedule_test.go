package ort

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/tensor"
)

func yes() bool { return true }

func TestAdmission(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler(4)
		l := s.lane("m", 8, func(int) {})
		take := func(want int, why string) {
			t.Helper()
			if n, err := s.acquire(ctx, l, yes); n != want || err != nil {
				t.Fatalf("%s: got %d cores, %v, want %d", why, n, err, want)
			}
		}
		take(4, "alone")
		got := make(chan int)
		for range 3 {
			go func() {
				n, _ := s.acquire(ctx, l, yes)
				got <- n
			}()
		}
		synctest.Wait()
		s.release(l, 4)
		wide := 0
		for range 3 {
			wide = max(wide, <-got)
		}
		if wide != 1 {
			t.Errorf("one of three that waited got %d cores, want 1", wide)
		}
		take(1, "beside others")
		for range 4 {
			s.release(l, 1)
		}
		if n, _ := s.acquire(ctx, l, func() bool { return false }); n != 1 {
			t.Errorf("with others announced: got %d cores, want 1", n)
		}
		s.release(l, 1)
		take(4, "alone again")
		go func() {
			n, _ := s.acquire(ctx, l, yes)
			got <- n
		}()
		synctest.Wait()
		s.release(l, 4)
		if n := <-got; n != 1 {
			t.Errorf("the only one that waited got %d cores, want 1", n)
		}
	})
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler(1)
		depth := 0
		l := s.lane("m", 2, func(n int) { depth = n })
		if _, err := s.acquire(t.Context(), l, yes); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		left := make(chan error)
		go func() { _, err := s.acquire(ctx, l, yes); left <- err }()
		turned := make(chan error)
		go func() { _, err := s.acquire(t.Context(), l, yes); turned <- err }()
		synctest.Wait()
		if depth != 2 {
			t.Errorf("depth %d, want 2", depth)
		}
		if _, err := s.acquire(t.Context(), l, yes); trilobite.CodeOf(err) != trilobite.Throttled {
			t.Errorf("third in a queue of two: %v, want Throttled", err)
		}
		if err := <-left; trilobite.CodeOf(err) != trilobite.Canceled || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("out of time while waiting: %v, want Canceled", err)
		}
		closed := make(chan struct{})
		go func() { s.close(l); close(closed) }()
		if err := <-turned; trilobite.CodeOf(err) != trilobite.NotReady {
			t.Errorf("waiting at Close: %v, want NotReady", err)
		}
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close did not wait for the run under way")
		default:
		}
		s.release(l, 1)
		<-closed
		if depth != 0 || s.free != 1 {
			t.Errorf("afterwards %d wait and %d cores are free, want 0 and 1", depth, s.free)
		}
	})
}

// slow returns inputs with which testdata/slow.onnx runs for minutes unless stopped.
func slow() []*tensor.Tensor {
	return []*tensor.Tensor{tensor.Scalar[int64](1 << 40), tensor.Of([]int64{64, 64}, make([]float32, 64*64))}
}

func TestCancelStopsTheRun(t *testing.T) {
	t.Parallel()
	m := load(t, open(t), "slow", Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := m.Run(ctx, slow())
	if trilobite.CodeOf(err) != trilobite.Canceled || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v, want Canceled", err)
	}
	in := []*tensor.Tensor{tensor.Scalar[int64](2), tensor.Of([]int64{64, 64}, make([]float32, 64*64))}
	if _, err := m.Run(t.Context(), in); err != nil {
		t.Errorf("the run after a stopped one: %v", err)
	}
}

func TestCloseWhileRunning(t *testing.T) {
	t.Parallel()
	m := load(t, open(t), "slow", Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := m.Run(ctx, slow()); ended <- err }()
	for running := 0; running == 0; time.Sleep(time.Millisecond) {
		m.sched.mu.Lock()
		running = m.lane.running
		m.sched.mu.Unlock()
	}
	closed := make(chan error, 1)
	go func() { closed <- m.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("Close returned %v under a run", err)
	case <-time.After(10 * time.Millisecond):
	}
	cancel()
	if err := <-ended; trilobite.CodeOf(err) != trilobite.Canceled {
		t.Errorf("Run: %v, want Canceled", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestTrainingTakesItsTurn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler(2)
		serving, training := s.lane("m", 8, func(int) {}), s.lane("t", 1, func(int) {})
		take := func() {
			if _, err := s.acquire(ctx, serving, func() bool { return false }); err != nil {
				t.Error(err)
			}
		}
		take()
		var order []string
		var mu sync.Mutex
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, what)
		}
		go func() {
			if err := s.acquireExactly(ctx, training, 2); err != nil {
				t.Error(err)
			}
			note("step")
			s.release(training, 2)
		}()
		synctest.Wait()
		for range 2 { // one core is free, and they came after the step
			go func() {
				take()
				note("run")
				s.release(serving, 1)
			}()
			synctest.Wait()
		}
		s.release(serving, 1)
		synctest.Wait()
		if diff := cmp.Diff([]string{"step", "run", "run"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		take()
		ending, cancel := context.WithCancel(ctx)
		go func() {
			if err := s.acquireExactly(ending, training, 2); trilobite.CodeOf(err) != trilobite.Canceled {
				t.Errorf("a step whose context ends in the queue: %v", err)
			}
		}()
		synctest.Wait()
		go take()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if s.free != 0 {
			t.Errorf("%d cores are free, want the run behind the step that left to have one", s.free)
		}
	})
}
