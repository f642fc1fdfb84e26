package ort

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	ortgo "github.com/yalue/onnxruntime_go"

	"trilobite/onnx"
	"trilobite/tensor"
)

// source is where a session's model comes from: a file, or its bytes; with those, perhaps,
// the graph that they hold.
type source struct {
	path  string
	data  []byte
	graph *onnx.Graph
}

// session is an ONNX Runtime session. Its runs may be concurrent; each takes as many
// threads as the session was made with, the one of package offload among them.
type session struct {
	s     *ortgo.DynamicAdvancedSession
	names words   // of inputs, then outputs
	host  *memory // the CPU's
	runs  atomic.Int64

	mu   sync.Mutex
	idle []*ortgo.RunOptions // made once, reused: they live in C memory
}

// describe returns a model's inputs and outputs. Where the graph is not at hand it costs a
// session, made without optimisation or packed weights to be cheap.
func describe(src source) (in, out []ValueInfo, err error) {
	if src.graph != nil {
		return Infos(src.graph.Inputs), Infos(src.graph.Outputs), nil
	}
	opts, err := ortgo.NewSessionOptions()
	if err != nil {
		return nil, nil, err
	}
	defer opts.Destroy()
	if err := errors.Join(
		opts.SetIntraOpNumThreads(1),
		opts.SetGraphOptimizationLevel(ortgo.GraphOptimizationLevelDisableAll),
		opts.AddSessionConfigEntry("session.disable_prepacking", "1"),
	); err != nil {
		return nil, nil, err
	}
	var ins, outs []ortgo.InputOutputInfo
	if src.data != nil {
		ins, outs, err = ortgo.GetInputOutputInfoWithONNXData(src.data)
	} else {
		ins, outs, err = ortgo.GetInputOutputInfoWithOptions(src.path, opts)
	}
	if err != nil {
		return nil, nil, err
	}
	if in, err = infos(ins, "input"); err != nil {
		return nil, nil, err
	}
	out, err = infos(outs, "output")
	return in, out, err
}

// declared returns what the file itself says of its inputs and outputs, a hundredth of
// the time of describe for a training step of thousands of nodes. ok is false where it
// leaves a size open or package onnx does not read the file: the library knows more.
func declared(model []byte) (in, out []ValueInfo, ok bool) {
	g, err := onnx.Parse(model, "")
	if err != nil {
		return nil, nil, false
	}
	in, out = Infos(g.Inputs), Infos(g.Outputs)
	open := func(v ValueInfo) bool { return v.DType.Size() == 0 || !v.Shape.Static() }
	return in, out, !slices.ContainsFunc(slices.Concat(in, out), open)
}

func newSession(src source, in, out []ValueInfo, threads int, o Options) (*session, error) {
	opts, err := sessionOptions(threads, o)
	if err != nil {
		return nil, err
	}
	defer opts.Destroy()
	var s *ortgo.DynamicAdvancedSession
	if src.data != nil {
		s, err = ortgo.NewDynamicAdvancedSessionWithONNXData(src.data, names(in), names(out), opts)
	} else {
		s, err = ortgo.NewDynamicAdvancedSession(src.path, names(in), names(out), opts)
	}
	if err != nil {
		return nil, err
	}
	made := &session{s: s, names: newWords(append(names(in), names(out)...))}
	if made.host, err = newMemory(made, "Cpu", 0); err != nil {
		return nil, errors.Join(err, made.close())
	}
	return made, nil
}

func sessionOptions(threads int, o Options) (*ortgo.SessionOptions, error) {
	opts, err := ortgo.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		opts.SetIntraOpNumThreads(threads),
		opts.SetInterOpNumThreads(1),
		opts.SetExecutionMode(ortgo.ExecutionModeSequential),
		opts.SetGraphOptimizationLevel(ortgo.GraphOptimizationLevelEnableAll),
		// Threads that look out for work between the nodes of a run save it their waking.
		// Long looks cost more than they save as soon as anything else wants the cores,
		// and after the run they would burn the cores of other runs (bench/ortloop).
		opts.AddSessionConfigEntry("session.intra_op.spin_duration_us", "100"),
		opts.AddSessionConfigEntry("session.force_spinning_stop", "1"),
	)
	if err == nil && o.Provider == "cuda" {
		err = appendCUDA(opts, o.Device)
	}
	if err != nil {
		_ = opts.Destroy()
		return nil, err
	}
	return opts, nil
}

// appendCUDA puts the CUDA provider before the CPU's. There is no silent fallback to
// the CPU: a server that was told to use its GPU and does not is broken.
func appendCUDA(opts *ortgo.SessionOptions, device int) error {
	hint := func(err error) error {
		return fmt.Errorf("provider cuda, device %d: %w "+
			"(it needs the library of the onnxruntime-gpu package, CUDA and cuDNN; provider cpu runs without)", device, err)
	}
	cuda, err := ortgo.NewCUDAProviderOptions()
	if err != nil {
		return hint(err)
	}
	defer cuda.Destroy()
	if err := cuda.Update(map[string]string{"device_id": fmt.Sprint(device)}); err != nil {
		return hint(err)
	}
	if err := opts.AppendExecutionProviderCUDA(cuda); err != nil {
		return hint(err)
	}
	return nil
}

// run computes out, which has an entry per output: a tensor of the right type and
// shape to write into, or nil for one that the library shall allocate. When ctx ends
// the library stops at the next node, and run returns ctx's error.
func (s *session) run(ctx context.Context, in, out []*tensor.Tensor) error {
	var pins runtime.Pinner
	defer pins.Unpin()
	values := make([]value, len(in)+len(out))
	defer func() {
		for _, v := range values {
			v.release()
		}
	}()
	for i, t := range slices.Concat(in, out) {
		if t == nil {
			continue
		}
		data, err := elements(t)
		if err != nil {
			return err
		}
		if values[i], err = s.host.over(&pins, data, t.DType, t.Shape); err != nil {
			return err
		}
	}
	err := s.terminable(ctx, func(o *ortgo.RunOptions) error { return s.runValues(o, values, len(in)) })
	for i := range out {
		if err == nil && out[i] == nil {
			out[i], err = values[len(in)+i].tensor()
		}
	}
	return err
}

// settled is after how many runs a session's memory is what it will be: runs side by side
// have each had theirs by then.
const settled = 16

// terminable does a run that stops at its next node when ctx ends; the error is then
// ctx's cause.
func (s *session) terminable(ctx context.Context, run func(*ortgo.RunOptions) error) error {
	opts, err := s.options()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = opts.Terminate() // it sets a flag; it has no way to fail on live options
		close(ended)
	})
	err = run(opts)
	if !stop() {
		<-ended // opts must not be reused while AfterFunc holds it
	}
	s.recycle(opts)
	if s.runs.Add(1) == settled {
		go largePages()
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (s *session) options() (*ortgo.RunOptions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		o := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return o, nil
	}
	return ortgo.NewRunOptions()
}

func (s *session) recycle(o *ortgo.RunOptions) {
	if o.UnsetTerminate() != nil {
		_ = o.Destroy()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, o)
}

// close frees the session's memory. No run may be under way.
func (s *session) close() error {
	for _, o := range s.idle {
		_ = o.Destroy()
	}
	s.idle = nil
	s.names.free()
	if s.host != nil {
		s.host.release()
	}
	return s.s.Destroy()
}

func names(infos []ValueInfo) []string {
	out := make([]string, len(infos))
	for i, v := range infos {
		out[i] = v.Name
	}
	return out
}
