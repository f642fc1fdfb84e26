package train

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"trilobite"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/step"
	"trilobite/tensor"
)

// stage is a stage that is ready to run.
type stage struct {
	Stage

	halves            *halves
	prefix            *ort.Model // nil: nothing is frozen
	cache             *cache
	train, validation *supply // validation is nil where the task has none
	order             order
	steps             int64
	updates           optim.Schedule
	began             float64 // seconds of training before it, this time
	first             int64   // its steps done before, this time
	accumulate        int64
	ema               bool

	params  []string
	targets []string // the loss's inputs
	built   *step.Step
	stepper *ort.Stepper
	batch   []*tensor.Tensor // the one batch of a stage that always takes the same
}

// open cuts the network for a stage, makes and keeps its features and builds its step.
func (l *loop) open(ctx context.Context, st Stage) (s *stage, err error) {
	s = &stage{Stage: st, accumulate: int64(max(1, l.Accumulate)), ema: l.EMA > 0}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.params, err = l.trainable(st); err != nil {
		return s, err
	}
	g := onnx.Clone(l.Graph)
	if err := Assign(g, l.weights); err != nil {
		return s, err
	}
	if s.halves, err = split(g, set(s.params)); err != nil {
		return s, fmt.Errorf("stage %q: %w", st.Name, err)
	}
	if s.prefix, err = loadPrefix(ctx, l.rt, s.halves.prefix, l.Runtime); err != nil {
		return s, err
	}
	s.cache = newCache(l.Dir, l.Memory, l.Disk)
	if err := l.samples(ctx, s); err != nil {
		return s, err
	}
	if err := l.build(ctx, s); err != nil {
		return s, fmt.Errorf("stage %q: %w", st.Name, err)
	}
	return s, nil
}

// trainable lists the parameters that a stage trains.
func (l *loop) trainable(st Stage) ([]string, error) {
	all := parameters(l.Graph, l.Params)
	var names, others []string
	for _, v := range all {
		if st.Trainable == nil || st.Trainable(v.Name) {
			names = append(names, v.Name)
		} else {
			others = append(others, v.Name)
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	if len(others) > 8 {
		others = append(others[:4], append([]string{"…"}, others[len(others)-4:]...)...)
	}
	return nil, &trilobite.Error{Op: "train.Run", Code: trilobite.Invalid,
		Msg: fmt.Sprintf("No parameter of %s would be trained; it has %s.", l.Graph.Name, strings.Join(others, ", "))}
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// samples finds out which samples can be used, keeps their features and plans the steps.
func (l *loop) samples(ctx context.Context, s *stage) error {
	s.train = &supply{source: l.Train, variants: l.Train.Variants(), feeds: s.halves.feeds, prefix: s.prefix, cache: s.cache}
	if s.Plain {
		s.train.variants = 1
	}
	all := []*supply{s.train}
	if l.Validation != nil {
		s.validation = &supply{source: l.Validation, variants: 1, validation: true, feeds: s.halves.feeds, prefix: s.prefix, cache: s.cache}
		all = append(all, s.validation)
	}
	for _, u := range all {
		before := 0
		if u.validation {
			before = l.Train.Len()
		}
		told := func(done, n int) {
			if !u.validation && l.Validation != nil {
				n += l.Validation.Len()
			}
			l.emit(Event{Kind: "features", Stage: s.Name, Step: int64(before + done), Steps: int64(before + n)})
		}
		err := u.survey(ctx, l.workers, told, func(i int, err error) {
			if l.Dropped != nil && l.steps == nil {
				l.Dropped(u.validation, i, err)
			}
		})
		if err != nil {
			return err
		}
	}
	if l.Check != nil {
		var validation []int
		if s.validation != nil {
			validation = s.validation.samples
		}
		if err := l.Check(s.train.samples, validation); err != nil {
			return err
		}
	}
	return l.plan(s)
}

// plan fixes the number of steps, of all stages the first time.
func (l *loop) plan(s *stage) error {
	n, fixed := int64(len(s.train.samples)), s.halves.suffix.Inputs[0].Shape[0]
	if fixed > n {
		return fmt.Errorf("the network takes batches of %d, there are %d samples", fixed, n)
	}
	if l.steps == nil {
		for i, st := range l.Stages {
			steps, o := st.Steps, l.orderOf(i, n, fixed)
			if steps == 0 {
				steps = int64(st.Epochs) * o.steps()
			}
			if steps < 1 {
				return fmt.Errorf("stage %q has %d epochs and no steps", st.Name, st.Epochs)
			}
			l.steps, l.epochs = append(l.steps, steps), append(l.epochs, int((steps+o.steps()-1)/o.steps()))
		}
	}
	s.order = l.orderOf(l.at.Stage, n, fixed)
	s.steps = l.steps[l.at.Stage]
	s.updates = s.Schedule((s.steps + s.accumulate - 1) / s.accumulate)
	return nil
}

// orderOf is the order of stage i over n samples; fixed is the batch that the network
// insists on, below 1 none.
func (l *loop) orderOf(i int, n, fixed int64) order {
	o := order{seed: mix(l.Seed, uint64(i)), samples: n, batch: int64(cmp.Or(l.Stages[i].Batch, l.Batch))}
	if o.batch <= 0 || o.batch > n {
		o.batch = n
	}
	o.whole = l.Whole
	if fixed > 0 {
		o.batch, o.whole = fixed, true
	}
	return o
}

// epoch is the epoch, from 1 and over all stages, that the last step was in.
func (l *loop) epoch(s *stage) int {
	before := 0
	for _, n := range l.epochs[:l.at.Stage] {
		before += n
	}
	return before + int((max(l.at.Step, 1)-1)/s.order.steps()) + 1
}

// state returns the slots by name.
func (s *stage) state() (map[string]*tensor.Tensor, error) {
	values, err := s.stepper.State()
	if err != nil {
		return nil, err
	}
	state := make(map[string]*tensor.Tensor, len(values))
	for i, sl := range s.built.Slots {
		state[sl.In] = values[i]
	}
	return state, nil
}

// weights are the trained constants in a state, the averages where there are some.
func (s *stage) weights(state map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	weights := map[string]*tensor.Tensor{}
	for _, v := range constants(s.halves.suffix) {
		if t, ok := state[v.Name]; ok {
			weights[v.Name] = t
		}
		if t, ok := state[v.Name+".ema"]; ok && s.ema {
			weights[v.Name] = t
		}
	}
	return weights
}

func (s *stage) close() {
	if s.stepper != nil {
		_ = s.stepper.Close()
	}
	if s.prefix != nil {
		_ = s.prefix.Close()
	}
	if s.cache != nil {
		s.cache.close()
	}
}
