package train

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"time"

	"trilobite"
	"trilobite/ort"
	"trilobite/tensor"
)

// Run trains. It ends when the stages are done, or earlier as Recipe says.
//
// When ctx ends, it stops within a step, saves where it is and fails with
// trilobite.Canceled. It fails with trilobite.Invalid where the loss is no number any
// more, naming the step and the first parameter or gradient that is none. The
// checkpoints in Options.Dir stay in both cases.
//
// The same task, recipe, machine and number of threads give the same weights bit for
// bit on the CPU, resumed or not, unless a budget of time ends it or shortens its schedule.
func Run(ctx context.Context, rt *ort.Runtime, t Task, r Recipe, o Options) (*Result, error) {
	l := &loop{Task: t, Recipe: r, Options: o, rt: rt, files: files{dir: o.Dir}, weights: map[string]*tensor.Tensor{}}
	return l.run(ctx)
}

// loop is a training under way.
type loop struct {
	Task
	Recipe
	Options

	rt      *ort.Runtime
	files   files
	workers int
	started time.Time
	earlier float64 // seconds of the runs before this one
	pace    pace

	at      position
	steps   []int64                   // of each stage
	epochs  []int                     // of each stage
	weights map[string]*tensor.Tensor // of stages that are done, by name
	best    map[string]*tensor.Tensor // weights of at.Best
	restore map[string]*tensor.Tensor // slots of the checkpoint that is resumed
	stopped Reason
}

func (l *loop) run(ctx context.Context) (*Result, error) {
	// A run beside others takes one core: a sample's features must not depend on who
	// else is there, and two at a time on a core each are faster than one on two.
	defer l.rt.Announce()()
	defer l.rt.Announce()()
	l.started, l.workers, l.stopped = time.Now(), runtime.GOMAXPROCS(0), Finished
	l.Memory, l.Disk = cmp.Or(l.Memory, 1<<30), cmp.Or(l.Disk, 16<<30)
	l.at = position{Fingerprint: l.Fingerprint, Seed: l.Seed, Evaluated: -1}
	if err := l.resume(); err != nil {
		return nil, err
	}
	l.emit(Event{Kind: "start"})
	for l.at.Stage < len(l.Stages) && l.stopped == Finished {
		if err := l.stage(ctx); err != nil {
			return nil, explain(ctx, err)
		}
		if l.stopped == Finished {
			l.at.Stage, l.at.Step = l.at.Stage+1, 0
		}
	}
	res := &Result{Weights: l.weights, Best: l.at.Best, Steps: l.at.Done, Stopped: l.stopped, Seconds: l.seconds()}
	done := Event{Kind: "done"}
	if l.at.Best != nil {
		res.Weights, done.Metrics = l.best, l.at.Best.Metrics
	} else if err := l.files.saveBest(l.weights, nil); err != nil {
		return nil, err
	}
	l.emit(done)
	return res, nil
}

// resume reads the checkpoint, if it is asked for.
func (l *loop) resume() error {
	if !l.Resume {
		return nil
	}
	p, tensors, err := l.files.load()
	if err != nil {
		return err
	}
	if p.Fingerprint != l.Fingerprint || p.Seed != l.Seed {
		return &trilobite.Error{Op: "train.Run", Code: trilobite.Invalid,
			Msg: "The run in " + l.Dir + " was started with other data or other settings; resume it with the same, or train anew."}
	}
	for _, v := range parameters(l.Graph, nil) {
		if t, ok := tensors[v.Name]; ok {
			l.weights[v.Name] = t
		}
	}
	if p.Best != nil {
		if l.best, err = l.files.loadBest(); err != nil {
			return err
		}
	}
	l.at, l.restore, l.earlier = *p, tensors, p.Seconds
	return nil
}

// stage does what is left of the current stage.
func (l *loop) stage(ctx context.Context) error {
	s, err := l.open(ctx, l.Stages[l.at.Stage])
	if err != nil {
		return err
	}
	defer s.close()
	l.emit(Event{Kind: "stage", Stage: s.Name})
	err = l.train(ctx, s)
	if err != nil && ctx.Err() != nil {
		return errors.Join(err, l.save(s))
	}
	if err != nil {
		return err
	}
	state, err := s.state()
	if err != nil {
		return err
	}
	maps.Copy(l.weights, s.weights(state))
	return nil
}

func (l *loop) train(ctx context.Context, s *stage) error {
	s.began, s.first = l.seconds(), l.at.Step
	every := cmp.Or(s.Every, l.Every, s.order.steps())
	steps := l.steps[l.at.Stage]
	for batch, err := range s.batches(ctx, l.at.Step, steps, l.workers) {
		if err != nil {
			return err
		}
		if l.at.Step > 0 && l.at.Step%every == 0 {
			if err := l.evaluate(ctx, s); err != nil || l.stopped != Finished {
				return err
			}
		}
		if l.Budget > 0 && l.seconds() >= l.Budget.Seconds() {
			l.stopped = OutOfTime
			break
		}
		if err := l.step(ctx, s, batch); err != nil {
			return err
		}
	}
	return l.evaluate(ctx, s)
}

// step does one step on a batch.
func (l *loop) step(ctx context.Context, s *stage, batch []*tensor.Tensor) error {
	start := time.Now()
	lr := s.rate(l.scheduled(s))
	out, err := s.stepper.Run(ctx, s.inputs(batch, l.at.Step+1, lr, mix(l.Seed, 3, uint64(l.at.Stage))))
	if err != nil {
		return err
	}
	loss := scalar(out[0])
	if !isFinite(loss) {
		return l.astray(ctx, s, batch, loss)
	}
	l.at.Step++
	l.at.Done++
	l.pace.step(time.Since(start), int(batch[0].Shape[0]))
	l.emit(Event{Kind: "step", Stage: s.Name, Epoch: l.epoch(s), Loss: loss, LR: lr})
	return nil
}

// scheduled is the step, from 1, whose learning rate the next one takes: its own, or where
// the budget does not last for all of them, a later one, so that the schedule ends when
// the time does. A stage has the part of the time left as it starts that its steps are of
// all that are left.
func (l *loop) scheduled(s *stage) int64 {
	own := l.at.Step + 1
	if l.Budget <= 0 {
		return own
	}
	steps := s.steps - s.first
	all := steps
	for _, n := range l.steps[l.at.Stage+1:] {
		all += n
	}
	time := (l.Budget.Seconds() - s.began) * float64(steps) / float64(max(all, 1))
	if time <= 0 {
		return own
	}
	passed := min((l.seconds()-s.began)/time, 1)
	return min(max(own, s.first+int64(passed*float64(steps))), max(s.steps, own))
}

func (l *loop) seconds() float64 { return l.earlier + time.Since(l.started).Seconds() }

// emit sends an event with what all of them have.
func (l *loop) emit(e Event) {
	if l.Events == nil {
		return
	}
	e.Time = time.Now()
	if e.Kind != "features" {
		e.Step, e.ImagesPerSecond = l.at.Done, l.pace.imagesPerSecond()
		for i, n := range l.steps {
			e.Steps, e.Epochs = e.Steps+n, e.Epochs+l.epochs[i]
		}
		left, every := e.Steps-e.Step, cmp.Or(l.Every, max(e.Steps-e.Step, 1))
		e.ETA = l.pace.eta(left, left/every)
	}
	l.Events <- e
}

// explain makes one error of all those that come of a context that ended.
func explain(ctx context.Context, err error) error {
	if ctx.Err() == nil || trilobite.CodeOf(err) == trilobite.Canceled {
		return err
	}
	return &trilobite.Error{Op: "train.Run", Code: trilobite.Canceled, Msg: "The training was stopped.", Err: err}
}
