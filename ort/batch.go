package ort

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"trilobite/onnx"
	"trilobite/tensor"
)

// batcher joins requests of one image into runs of several.
//
// The first request to come opens a batch; it closes when the batch is full, when
// MaxWait has passed or at once if no other request is announced. Then it queues for
// its cores like any run, and whoever arrives until it gets them still joins: under
// load the queue itself makes the batches and nobody waits on a clock.
//
// On a CPU this does not pay: an image costs the same in any batch,
// and the cores are busy already. It is for CUDA.
type batcher struct {
	m *Model

	mu      sync.Mutex
	pending []*request
	open    bool          // a goroutine is collecting
	full    chan struct{} // of one: pending has reached MaxBatch
}

// request is one image that waits for its place in a batch.
type request struct {
	in     []*tensor.Tensor
	since  time.Time
	answer chan answer // buffered; exactly one is sent unless the request left
	batch  *batch      // nil until taken; the batcher's mutex guards it
}

type answer struct {
	out []*tensor.Tensor
	err error
}

// batch is a run under way for several requests; it is stopped when all have left.
type batch struct {
	living int
	cancel context.CancelFunc
}

// batchable reports whether every value is open in its first dimension and only there.
func batchable(infos []ValueInfo) bool {
	return !slices.ContainsFunc(infos, func(v ValueInfo) bool {
		return len(v.Shape) == 0 || v.Shape[0] >= 0 || !v.Shape[1:].Static()
	})
}

func (b *batcher) run(ctx context.Context, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	r := &request{in: in, since: time.Now(), answer: make(chan answer, 1)}
	b.mu.Lock()
	if len(b.pending) >= b.m.opts.MaxQueue {
		b.mu.Unlock()
		return nil, throttled(b.m.opts.Name, b.m.opts.MaxQueue)
	}
	b.pending = append(b.pending, r)
	b.m.opts.Recorder.Queue(b.m.opts.Name, len(b.pending))
	switch {
	case !b.open:
		b.start()
	case len(b.pending) == b.m.opts.MaxBatch:
		b.signalFull()
	}
	b.mu.Unlock()

	select {
	case a := <-r.answer:
		return a.out, a.err
	case <-ctx.Done():
		b.leave(r)
		return nil, canceled(ctx, "ort.Run", b.m.opts.Name)
	}
}

// leave takes a request out of the line or out of its batch. Its inputs have been
// copied by the time it is in a batch, so its caller may reuse them.
func (b *batcher) leave(r *request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.pending, r); i >= 0 {
		b.pending = slices.Delete(b.pending, i, i+1)
		return
	}
	if r.batch == nil {
		return // answered, or turned away
	}
	r.batch.living--
	if r.batch.living == 0 {
		r.batch.cancel()
	}
}

// start opens a batch for what is pending. The mutex is held.
func (b *batcher) start() {
	b.open = true
	select {
	case <-b.full: // of the batch before
	default:
	}
	if len(b.pending) >= b.m.opts.MaxBatch {
		b.signalFull()
	}
	go b.collect()
}

func (b *batcher) signalFull() {
	select {
	case b.full <- struct{}{}:
	default:
	}
}

// collect waits for company and for cores, runs what is pending then, and opens the
// next batch if some are left.
func (b *batcher) collect() {
	if !b.m.alone() {
		wait := time.NewTimer(b.m.opts.MaxWait)
		select {
		case <-b.full:
		case <-wait.C:
		}
		wait.Stop()
	}
	// No context: each request watches its own. If all leave, the run is of nobody.
	cores, err := b.m.sched.acquire(context.Background(), b.m.lane, b.m.alone)
	if err != nil {
		b.turnAway(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	taken, in, err := b.take(cancel)
	if len(taken) > 0 {
		if err == nil {
			b.answer(ctx, cores, taken, in)
		} else {
			refuse(taken, err)
		}
	}
	b.m.sched.release(b.m.lane, cores)
}

// take closes the batch: it moves up to MaxBatch pending requests into it, copies
// their inputs together and lets the next batch open.
func (b *batcher) take(cancel context.CancelFunc) ([]*request, []*tensor.Tensor, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.pending), b.m.opts.MaxBatch)
	taken := slices.Clone(b.pending[:n])
	b.pending = slices.Delete(b.pending, 0, n)
	b.m.opts.Recorder.Queue(b.m.opts.Name, len(b.pending))
	b.open = false
	if len(b.pending) > 0 {
		b.start()
	}
	run := &batch{living: n, cancel: cancel}
	for _, r := range taken {
		r.batch = run
		b.m.opts.Recorder.Observe("queue", b.m.opts.Name, time.Since(r.since))
	}
	if n == 0 {
		return nil, nil, nil
	}
	in := make([]*tensor.Tensor, len(b.m.in))
	for i := range in {
		column := make([]*tensor.Tensor, n)
		for j, r := range taken {
			column[j] = r.in[i]
		}
		var err error
		if in[i], err = tensor.Join(column...); err != nil {
			return taken, nil, fmt.Errorf("running model %s: input %q: %w", b.m.opts.Name, b.m.in[i].Name, err)
		}
	}
	return taken, in, nil
}

// answer runs the batch and gives every request its part of the outputs.
func (b *batcher) answer(ctx context.Context, cores int, taken []*request, in []*tensor.Tensor) {
	out, err := b.m.compute(ctx, cores, in, len(taken))
	if err != nil {
		refuse(taken, err)
		return
	}
	for i, r := range taken {
		parts := make([]*tensor.Tensor, len(out))
		for j, t := range out {
			if len(t.Shape) == 0 || t.Shape[0] != int64(len(taken)) {
				refuse(taken[i:], fmt.Errorf("running model %s: output %q is %s for a batch of %d: set its MaxBatch to 1",
					b.m.opts.Name, b.m.out[j].Name, onnx.Shape(t.Shape), len(taken)))
				return
			}
			parts[j] = t.Row(int64(i))
		}
		r.answer <- answer{out: parts}
	}
}

// turnAway answers all that are pending with err: the model is closing.
func (b *batcher) turnAway(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	refuse(b.pending, err)
	b.pending, b.open = nil, false
}

func refuse(requests []*request, err error) {
	for _, r := range requests {
		r.answer <- answer{err: err}
	}
}
