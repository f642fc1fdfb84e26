package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Model is a loaded model, ready to run, safe for concurrent use. Close it.
type Model struct {
	opts    Options
	rt      *Runtime
	sched   *scheduler
	lane    *lane
	wide    *session // all cores
	narrow  *session // one core a run; the same as wide where there is one core
	in, out []ValueInfo
	batches *batcher // nil: every request runs by itself

	spare   []sync.Pool // of *tensor.Tensor, per output
	guess   atomic.Bool // an open first dimension of an output is the input's
	closing sync.Once
}

// Load reads an ONNX file and makes its sessions. External data is found beside the
// file.
func (r *Runtime) Load(ctx context.Context, path string, o Options) (*Model, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("loading model: %w", err)
	}
	return r.load(ctx, source{path: path}, o)
}

// LoadBytes is Load for a model in memory, without external data. data is not kept.
func (r *Runtime) LoadBytes(ctx context.Context, data []byte, o Options) (*Model, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("loading model %s: no bytes", o.Name)
	}
	return r.load(ctx, source{data: data}, o)
}

// LoadGraph is LoadBytes for a graph, whose shapes are inferred. It fails for one of more
// constants than a file can hold (onnx.Marshal).
func (r *Runtime) LoadGraph(ctx context.Context, g *onnx.Graph, o Options) (*Model, error) {
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("loading model %s: %w", o.Name, err)
	}
	return r.load(ctx, source{data: data, graph: g}, o)
}

func (r *Runtime) load(ctx context.Context, src source, o Options) (*Model, error) {
	o, err := o.withDefaults(src.path)
	if err != nil {
		return nil, err
	}
	m := &Model{opts: o, rt: r, sched: r.cores}
	if o.Provider != "cpu" {
		m.sched = newScheduler(1) // the GPU takes one run at a time; it needs none of our cores
	}
	m.guess.Store(true)
	if m.in, m.out, err = describe(src); err != nil {
		return nil, fmt.Errorf("loading model %s: %w", o.Name, err)
	}
	if len(m.in) == 0 || len(m.out) == 0 {
		return nil, fmt.Errorf("loading model %s: it has %d inputs and %d outputs, want at least one each", o.Name, len(m.in), len(m.out))
	}
	if err := m.openSessions(ctx, src); err != nil {
		return nil, fmt.Errorf("loading model %s: %w", o.Name, err)
	}
	m.spare = make([]sync.Pool, len(m.out))
	depth := func(n int) { o.Recorder.Queue(o.Name, n) }
	if o.MaxBatch > 1 && batchable(m.in) && batchable(m.out) {
		m.batches = &batcher{m: m, full: make(chan struct{}, 1)}
		depth = func(int) {} // the batcher knows how many wait, its runs are not they
	}
	m.lane = m.sched.lane(o.Name, o.MaxQueue, depth)
	return m, nil
}

// openSessions makes both sessions at the same time: at a start, that halves the wait.
func (m *Model) openSessions(ctx context.Context, src source) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var g errgroup.Group
	g.Go(func() (err error) {
		m.wide, err = newSession(src, m.in, m.out, m.sched.cores, m.opts)
		return err
	})
	if m.sched.cores > 1 {
		g.Go(func() (err error) {
			m.narrow, err = newSession(src, m.in, m.out, 1, m.opts)
			return err
		})
	}
	err := g.Wait()
	trim()
	if m.sched.cores == 1 {
		m.narrow = m.wide
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return errors.Join(err, m.closeSessions())
	}
	return nil
}

// Name returns the model's name in errors and measurements.
func (m *Model) Name() string { return m.opts.Name }

// Inputs describes the inputs in the order Run takes them.
func (m *Model) Inputs() []ValueInfo { return slices.Clone(m.in) }

// Outputs describes the outputs in the order Run returns them.
func (m *Model) Outputs() []ValueInfo { return slices.Clone(m.out) }

// Run computes the model's outputs, one tensor each in the order of Outputs, from one
// tensor per input. It reads in while it runs and does not keep it; the outputs belong
// to the caller, who may give them back with Recycle.
//
// It waits for a core behind the runs that came before. It fails with a
// trilobite.Error: Throttled when too many wait, Canceled when ctx ends first (a run
// under way stops at its next node), NotReady when the model is closed.
func (m *Model) Run(ctx context.Context, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	if err := check(in, m.in); err != nil {
		return nil, fmt.Errorf("running model %s: %w", m.opts.Name, err)
	}
	if m.batches != nil && in[0].Shape[0] == 1 {
		return m.batches.run(ctx, in)
	}
	start := time.Now()
	cores, err := m.sched.acquire(ctx, m.lane, m.alone)
	if err != nil {
		return nil, err
	}
	defer m.sched.release(m.lane, cores)
	m.opts.Recorder.Observe("queue", m.opts.Name, time.Since(start))
	return m.compute(ctx, cores, in, 1)
}

// Recycle gives outputs of Run back for later runs to write into. It spares the
// garbage collector a megabyte per image; not calling it is correct too. Nothing may
// use the tensors afterwards.
func (m *Model) Recycle(out []*tensor.Tensor) {
	for i, t := range out {
		if i < len(m.spare) && t != nil {
			m.spare[i].Put(t)
		}
	}
}

// Close turns waiting runs away, waits for those under way and frees the model's
// memory. Later runs fail with NotReady.
func (m *Model) Close() error {
	var err error
	m.closing.Do(func() {
		m.sched.close(m.lane)
		err = m.closeSessions()
		trim()
	})
	return err
}

func (m *Model) closeSessions() error {
	var err error
	if m.narrow != nil && m.narrow != m.wide {
		err = m.narrow.close()
	}
	if m.wide != nil {
		err = errors.Join(err, m.wide.close())
	}
	return err
}

// alone reports whether no other request is known of.
func (m *Model) alone() bool { return m.rt.present.Load() <= 1 }

// compute runs the session for the cores that were granted. images is for the
// measurements. A panic becomes an error: a batch runs on a goroutine of its own, where
// it would end the process.
func (m *Model) compute(ctx context.Context, cores int, in []*tensor.Tensor, images int) (out []*tensor.Tensor, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("running model %s: panic: %v\n%s", m.opts.Name, p, debug.Stack())
		}
	}()
	s := m.narrow
	if cores > 1 {
		s = m.wide
	}
	start := time.Now()
	if out, err = m.buffers(in); err != nil {
		return nil, fmt.Errorf("running model %s: %w", m.opts.Name, err)
	}
	guessed := slices.ContainsFunc(m.out, func(v ValueInfo) bool { return !v.Shape.Static() }) && m.guess.Load()
	err = s.run(ctx, in, out)
	if err != nil && ctx.Err() == nil && guessed {
		// Perhaps an output's open first dimension was not the batch. If the library's
		// own buffers do, it allocates this model's open outputs from now on.
		m.guess.Store(false)
		if out, err = m.buffers(in); err == nil {
			err = s.run(ctx, in, out)
		}
		m.guess.Store(err != nil)
	}
	if err != nil && ctx.Err() != nil {
		return nil, canceled(ctx, "ort.Run", m.opts.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("running model %s: %w", m.opts.Name, err)
	}
	m.opts.Recorder.Observe("infer", m.opts.Name, time.Since(start))
	m.opts.Recorder.Batch(m.opts.Name, images)
	return out, nil
}

// buffers returns a tensor to write into for each output whose shape is known, or is
// known but for the first dimension, taken to be the batch; nil for the others.
func (m *Model) buffers(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(m.out))
	for i, v := range m.out {
		shape := slices.Clone([]int64(v.Shape))
		if !v.Shape.Static() {
			if !m.guess.Load() || len(shape) == 0 || !onnx.Shape(shape[1:]).Static() || len(in[0].Shape) == 0 {
				continue
			}
			shape[0] = in[0].Shape[0]
		}
		if t, ok := m.spare[i].Get().(*tensor.Tensor); ok && t.DType == v.DType && t.Len() == tensor.Size(shape) {
			t.Shape = shape
			out[i] = t
			continue
		}
		t, err := tensor.New(v.DType, shape)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", v, err)
		}
		out[i] = t
	}
	return out, nil
}

func fits(got []int64, want onnx.Shape) bool {
	return slices.EqualFunc(got, want, func(g, w int64) bool { return g == w || w < 0 })
}
