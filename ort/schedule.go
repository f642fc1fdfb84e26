package ort

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"trilobite"
)

// scheduler hands out cores, first come first served. A run that comes while every core
// is free is alone and gets them all; any other gets one.
//
// The load that counts is that of the moment of admission: a wide run is not taken
// back when a second request comes a millisecond later, it waits for one run at most.
// Whoever has waited is not alone, even if the queue behind is empty: two clients would
// otherwise take turns at wide runs for ever.
type scheduler struct {
	cores int

	mu    sync.Mutex
	free  int
	queue []*ticket
}

// lane is one model's place in a scheduler. The scheduler's mutex guards it.
type lane struct {
	name    string
	limit   int // runs that may wait
	waiting int
	running int
	closed  bool
	idle    *sync.Cond
	depth   func(waiting int) // told whenever waiting changes; called with the mutex held
}

// ticket is a waiting run. granted receives its cores once; 0 when the model closes.
type ticket struct {
	lane    *lane
	want    int // cores
	granted chan int
}

func newScheduler(cores int) *scheduler {
	return &scheduler{cores: cores, free: cores}
}

func (s *scheduler) lane(name string, limit int, depth func(int)) *lane {
	return &lane{name: name, limit: limit, idle: sync.NewCond(&s.mu), depth: depth}
}

// acquire waits for cores and returns how many the run has: all of them or one. alone
// may veto a wide run. The caller gives them back with release. It fails with
// Throttled when the lane is full, Canceled when ctx ends first and NotReady when the
// model closes; then nothing is held.
func (s *scheduler) acquire(ctx context.Context, l *lane, alone func() bool) (int, error) {
	if ctx.Err() != nil {
		return 0, canceled(ctx, "ort.Run", l.name)
	}
	s.mu.Lock()
	if l.closed {
		s.mu.Unlock()
		return 0, closing(l.name)
	}
	if s.free > 0 && len(s.queue) == 0 {
		n := 1
		if s.free == s.cores && alone() {
			n = s.cores
		}
		s.grant(l, n)
		s.mu.Unlock()
		return n, nil
	}
	return s.queueUp(ctx, l, 1)
}

// acquireExactly is acquire for a training step, which always takes n cores. While it
// is first in the queue it keeps the cores that become free, so that those who come
// after it cannot starve it; they go before its next step.
func (s *scheduler) acquireExactly(ctx context.Context, l *lane, n int) error {
	if ctx.Err() != nil {
		return canceled(ctx, "ort.Step", l.name)
	}
	s.mu.Lock()
	if !l.closed && s.free >= n && len(s.queue) == 0 {
		s.grant(l, n)
		s.mu.Unlock()
		return nil
	}
	if l.closed {
		s.mu.Unlock()
		return closing(l.name)
	}
	_, err := s.queueUp(ctx, l, n)
	return err
}

// queueUp waits for n cores behind those who wait already. It is called with the mutex
// held and unlocks it.
func (s *scheduler) queueUp(ctx context.Context, l *lane, n int) (int, error) {
	if l.waiting >= l.limit {
		s.mu.Unlock()
		return 0, throttled(l.name, l.limit)
	}
	t := &ticket{lane: l, want: n, granted: make(chan int, 1)}
	s.queue = append(s.queue, t)
	l.wait(1)
	s.mu.Unlock()

	select {
	case n := <-t.granted:
		if n == 0 {
			return 0, closing(l.name)
		}
		return n, nil
	case <-ctx.Done():
		s.leave(t)
		return 0, canceled(ctx, "ort.Run", l.name)
	}
}

// grant takes n cores for a run of l. The mutex is held.
func (s *scheduler) grant(l *lane, n int) {
	s.free -= n
	l.running++
}

// release gives n cores back and admits those who wait for them.
func (s *scheduler) release(l *lane, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
	l.running--
	if l.running == 0 {
		l.idle.Broadcast()
	}
	s.admit()
}

// admit grants free cores in the order of the queue. The mutex is held.
func (s *scheduler) admit() {
	for len(s.queue) > 0 && s.free >= s.queue[0].want {
		t := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		t.lane.wait(-1)
		s.grant(t.lane, t.want)
		t.granted <- t.want
	}
}

// leave takes a ticket whose context ended out of the queue, or gives back what it
// was granted in the meantime.
func (s *scheduler) leave(t *ticket) {
	s.mu.Lock()
	i := slices.Index(s.queue, t)
	if i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
		t.lane.wait(-1)
		s.admit() // who stood behind may want less
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	if n := <-t.granted; n > 0 {
		s.release(t.lane, n)
	}
}

// close turns the lane's waiting runs away and returns when its last run has ended.
func (s *scheduler) close(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.closed = true
	s.queue = slices.DeleteFunc(s.queue, func(t *ticket) bool {
		if t.lane != l {
			return false
		}
		l.wait(-1)
		t.granted <- 0
		return true
	})
	s.admit()
	for l.running > 0 {
		l.idle.Wait()
	}
}

func (l *lane) wait(d int) {
	l.waiting += d
	l.depth(l.waiting)
}

func throttled(model string, limit int) error {
	return &trilobite.Error{
		Op: "ort.Run", Code: trilobite.Throttled,
		Msg: fmt.Sprintf("Model %s has %d requests waiting, its limit; try again later.", model, limit),
	}
}

func closing(model string) error {
	return &trilobite.Error{
		Op: "ort.Run", Code: trilobite.NotReady,
		Msg: "Model " + model + " has been unloaded.",
	}
}

func canceled(ctx context.Context, op, model string) error {
	return &trilobite.Error{
		Op: op, Code: trilobite.Canceled,
		Msg: "The request ended before model " + model + " had answered.", Err: context.Cause(ctx),
	}
}
