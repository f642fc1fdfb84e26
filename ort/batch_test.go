package ort

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/tensor"
)

// tally records the sizes of batches.
type tally struct {
	silence
	mu    sync.Mutex
	sizes []int
}

func (t *tally) Batch(_ string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sizes = append(t.sizes, n)
}

func row(v float32) []*tensor.Tensor {
	return []*tensor.Tensor{floats([]int64{1, 4}, v, v, v, v)}
}

// TestBatchesJoin holds the cores until four requests wait: they run as one batch of
// three, the most, and one of one, and each gets its own rows.
func TestBatchesJoin(t *testing.T) {
	t.Parallel()
	r := open(t)
	sizes := &tally{}
	m := load(t, r, "add", Options{MaxBatch: 3, Recorder: sizes})
	hold, err := m.sched.acquire(t.Context(), m.lane, yes)
	if err != nil {
		t.Fatal(err)
	}
	var g sync.WaitGroup
	for i := range 4 {
		g.Go(func() {
			out, err := m.Run(t.Context(), row(float32(i)))
			if err != nil {
				t.Error(err)
				return
			}
			x := float32(i)
			if diff := cmp.Diff([]float32{x + 1, x + 2, x + 3, x + 4}, out[0].Raw()); diff != "" {
				t.Errorf("request %d (-want +got):\n%s", i, diff)
			}
			if diff := cmp.Diff([]int64{1, 4}, out[0].Shape); diff != "" {
				t.Errorf("shape of request %d (-want +got):\n%s", i, diff)
			}
		})
	}
	for pending := 0; pending < 4; time.Sleep(time.Millisecond) {
		m.batches.mu.Lock()
		pending = len(m.batches.pending)
		m.batches.mu.Unlock()
	}
	m.sched.release(m.lane, hold)
	g.Wait()
	slices.Sort(sizes.sizes) // the two may run side by side
	if diff := cmp.Diff([]int{1, 3}, sizes.sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

func TestBatchLimits(t *testing.T) {
	t.Parallel()
	m := load(t, open(t), "add", Options{MaxBatch: 2, MaxQueue: 1})
	hold, err := m.sched.acquire(t.Context(), m.lane, yes)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { _, err := m.Run(ctx, row(0)); left <- err }()
	for pending := 0; pending < 1; time.Sleep(time.Millisecond) {
		m.batches.mu.Lock()
		pending = len(m.batches.pending)
		m.batches.mu.Unlock()
	}
	if _, err := m.Run(t.Context(), row(0)); trilobite.CodeOf(err) != trilobite.Throttled {
		t.Errorf("second in a queue of one: %v, want Throttled", err)
	}
	cancel()
	if err := <-left; trilobite.CodeOf(err) != trilobite.Canceled {
		t.Errorf("left while waiting: %v, want Canceled", err)
	}
	m.sched.release(m.lane, hold)
	if _, err := m.Run(t.Context(), row(0)); err != nil {
		t.Errorf("the next request: %v", err)
	}
}

// TestBatchStopsWhenAllLeave: a batch is nobody's own, the last to leave stops it.
func TestBatchStopsWhenAllLeave(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := &batcher{}
	run := &batch{living: 2, cancel: cancel}
	b.leave(&request{batch: run})
	if ctx.Err() != nil {
		t.Error("stopped with one request left in it")
	}
	b.leave(&request{batch: run})
	if ctx.Err() == nil {
		t.Error("goes on for nobody")
	}
}

// TestRowsAreNoBatch: the first dimension of this model's output is the data's, and a
// batch cannot be taken apart. The request is told, not given another's rows.
func TestRowsAreNoBatch(t *testing.T) {
	t.Parallel()
	m := load(t, open(t), "rows", Options{MaxBatch: 2})
	_, err := m.Run(t.Context(), []*tensor.Tensor{floats([]int64{1, 2}, -1, -1)})
	if err == nil {
		t.Error("a row that the model dropped was answered")
	}
}
