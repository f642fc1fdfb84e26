package ort

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	ortgo "github.com/yalue/onnxruntime_go"

	"trilobite"
	"trilobite/onnx"
	"trilobite/tensor"
)

// Slot is a part of a stepper's state: an input whose next value is an output. Both are
// of one type and one static shape.
type Slot struct{ In, Out string }

// Stepper runs a graph again and again that computes some of its inputs anew, such as
// a training step: parameters and optimiser state go in and come out. They stay in the
// library's memory, on the GPU with provider cuda: each slot has two tensors, and two
// bindings read one and write the other in turn, so that a step copies nothing but its
// other inputs and outputs. A step that fails or is stopped leaves the state as it was.
//
// On the CPU the same steps from the same state give the same bits for the same
// library, processor and number of threads. The methods may be called from any
// goroutine; one runs at a time. Close it.
type Stepper struct {
	opts    Options
	threads int
	sched   *scheduler
	lane    *lane
	s       *session
	in, out []ValueInfo // without the slots
	slots   []slot
	device  *memory    // where the slots are; the other inputs and outputs are the session's host
	mover   *mover     // between the two; nil where they are one
	scratch [][]uint64 // per other input: see aligned

	mu   sync.Mutex
	ways [2]*ortgo.IoBinding // way 0 reads slot.values[0] and writes slot.values[1]
	turn int                 // the way that reads the current state
	undo bool                // the other one still has the state before it
}

type slot struct {
	Slot

	info   ValueInfo
	values [2]value
}

// LoadStep makes a stepper of an ONNX file in memory. The initial value of slots[i] is
// initial[i]; neither is kept. Every output that is no slot needs a static shape.
func (r *Runtime) LoadStep(ctx context.Context, model []byte, slots []Slot, initial []*tensor.Tensor, o Options) (*Stepper, error) {
	o, err := o.withDefaults("")
	if err != nil {
		return nil, err
	}
	s := &Stepper{opts: o, sched: r.cores, threads: r.cores.cores}
	if o.Threads > 0 {
		s.threads = min(o.Threads, s.threads)
	}
	if o.Provider != "cpu" {
		s.sched, s.threads = newScheduler(1), 1
	}
	s.lane = s.sched.lane(o.Name, 1<<30, func(int) {})
	if err := s.load(ctx, source{data: model}, slots, initial); err != nil {
		return nil, fmt.Errorf("loading training step %s: %w", o.Name, errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Stepper) load(ctx context.Context, src source, slots []Slot, initial []*tensor.Tensor) error {
	if len(src.data) == 0 {
		return errors.New("no bytes")
	}
	in, out, ok := declared(src.data)
	var err error
	if !ok {
		if in, out, err = describe(src); err != nil {
			return err
		}
	}
	if err := s.sort(in, out, slots); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.s, err = newSession(src, in, out, s.threads, s.opts); err != nil {
		return err
	}
	s.device = s.s.host
	if s.opts.Provider == "cuda" {
		if s.device, err = newMemory(s.s, "Cuda", s.opts.Device); err != nil {
			return err
		}
		if s.mover, err = newMover(s.slots, s.opts); err != nil {
			return err
		}
	}
	if err := s.bind(); err != nil {
		return err
	}
	return s.SetState(initial)
}

// sort tells the slots from the other inputs and outputs.
func (s *Stepper) sort(in, out []ValueInfo, slots []Slot) error {
	find := func(all []ValueInfo, name string) (ValueInfo, bool) {
		i := slices.IndexFunc(all, func(v ValueInfo) bool { return v.Name == name })
		if i < 0 {
			return ValueInfo{}, false
		}
		return all[i], true
	}
	taken := map[string]bool{}
	for _, sl := range slots {
		from, ok := find(in, sl.In)
		to, both := find(out, sl.Out)
		switch {
		case !ok || !both:
			return fmt.Errorf("slot %s → %s: the graph has no such input and output", sl.In, sl.Out)
		case taken[sl.In] || taken[sl.Out]:
			return fmt.Errorf("slot %s → %s: one of them is in another slot", sl.In, sl.Out)
		case !from.Shape.Static() || from.DType != to.DType || !slices.Equal(from.Shape, to.Shape):
			return fmt.Errorf("slot %s → %s: the shapes are not one static shape", from, to)
		}
		taken[sl.In], taken[sl.Out] = true, true
		s.slots = append(s.slots, slot{Slot: sl, info: from})
	}
	others := func(all []ValueInfo) []ValueInfo {
		return slices.DeleteFunc(slices.Clone(all), func(v ValueInfo) bool { return taken[v.Name] })
	}
	s.in, s.out = others(in), others(out)
	s.scratch = make([][]uint64, len(s.in))
	for _, v := range s.out {
		if !v.Shape.Static() {
			return fmt.Errorf("output %s has no static shape", v)
		}
	}
	return nil
}

// bind allocates the slots' tensors and makes the two ways through them.
func (s *Stepper) bind() error {
	for i := range s.slots {
		for k := range 2 {
			v, err := s.device.allocate(s.slots[i].info.DType, s.slots[i].info.Shape)
			if err != nil {
				return fmt.Errorf("slot %s: %w", s.slots[i].info, err)
			}
			s.slots[i].values[k] = v
		}
	}
	for k := range 2 {
		b, err := s.s.s.CreateIoBinding()
		if err != nil {
			return err
		}
		s.ways[k] = b
		for _, sl := range s.slots {
			if err := errors.Join(bindInput(b, sl.In, sl.values[k]), bindOutput(b, sl.Out, sl.values[1-k])); err != nil {
				return err
			}
		}
	}
	return nil
}

// Inputs describes the inputs that are no slots in the order Run takes them.
func (s *Stepper) Inputs() []ValueInfo { return slices.Clone(s.in) }

// Outputs describes the outputs that are no slots in the order Run returns them.
func (s *Stepper) Outputs() []ValueInfo { return slices.Clone(s.out) }

// Threads returns the number of threads a step uses.
func (s *Stepper) Threads() int { return s.threads }

// Run does one step: it computes the outputs from in, one tensor per input that is no
// slot, and the next state from the current one. in is not kept.
//
// It waits until its threads' cores are free, behind the runs of models that came
// before it and before those that come after. When ctx ends the step stops at its next
// node and the error is trilobite.Canceled.
func (s *Stepper) Run(ctx context.Context, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s == nil {
		return nil, closing(s.opts.Name)
	}
	if err := check(in, s.in); err != nil {
		return nil, fmt.Errorf("training step %s: %w", s.opts.Name, err)
	}
	if err := s.sched.acquireExactly(ctx, s.lane, s.threads); err != nil {
		return nil, s.explain(ctx, err)
	}
	defer s.sched.release(s.lane, s.threads)
	s.undo = false // its tensors are written to
	out, err := s.step(ctx, in)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	s.turn, s.undo = 1-s.turn, true
	return out, nil
}

func (s *Stepper) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &trilobite.Error{Op: "ort.Step", Code: trilobite.Canceled, Msg: "The training was stopped.", Err: context.Cause(ctx)}
	}
	return fmt.Errorf("training step %s: %w", s.opts.Name, err)
}

func (s *Stepper) step(ctx context.Context, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	way := s.ways[s.turn]
	for i, v := range s.in {
		if err := s.over(&pins, in[i], v, i, func(x value) error { return bindInput(way, v.Name, x) }); err != nil {
			return nil, err
		}
	}
	out := make([]*tensor.Tensor, len(s.out))
	for i, v := range s.out {
		var err error
		if out[i], err = tensor.New(v.DType, v.Shape); err != nil {
			return nil, err
		}
		if err := s.over(&pins, out[i], v, -1, func(x value) error { return bindOutput(way, v.Name, x) }); err != nil {
			return nil, err
		}
	}
	return out, s.s.terminable(ctx, func(o *ortgo.RunOptions) error { return s.s.runBinding(o, way) })
}

// check compares tensors with what is taken.
func check(in []*tensor.Tensor, want []ValueInfo) error {
	if len(in) != len(want) {
		return fmt.Errorf("%d inputs, want %d", len(in), len(want))
	}
	for i, v := range want {
		if in[i] == nil || in[i].DType != v.DType || !fits(in[i].Shape, v.Shape) {
			got := "nothing"
			if in[i] != nil {
				got = fmt.Sprintf("%s %s", in[i].DType, onnx.Shape(in[i].Shape))
			}
			return fmt.Errorf("input %q is %s, want %s %s", v.Name, got, v.DType, v.Shape)
		}
	}
	return nil
}
