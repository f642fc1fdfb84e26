package train

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
)

// evaluate measures the network as it is, once for each number of steps, and keeps a
// checkpoint.
func (l *loop) evaluate(ctx context.Context, s *stage) error {
	if l.at.Evaluated == l.at.Done {
		return nil
	}
	state, err := s.state()
	if err != nil {
		return err
	}
	if s.validation != nil {
		start := time.Now()
		weights := maps.Clone(l.weights)
		maps.Copy(weights, s.weights(state))
		metrics, err := l.measure(ctx, s, weights)
		if err != nil {
			return err
		}
		l.pace.evaluation(time.Since(start))
		if err := l.judge(s, metrics, weights); err != nil {
			return err
		}
	}
	l.at.Evaluated = l.at.Done
	if l.Patience > 0 && l.at.Worse >= l.Patience {
		l.stopped = NoBetter
	}
	return l.saveState(s, state)
}

// judge compares an evaluation with the best one; of two as good the later one counts.
func (l *loop) judge(s *stage, metrics map[string]float64, weights map[string]*tensor.Tensor) error {
	got, ok := metrics[l.Metric]
	if !ok {
		return fmt.Errorf("the judge has no metric %q, but %q", l.Metric, slices.Sorted(maps.Keys(metrics)))
	}
	epoch := l.epoch(s)
	l.emit(Event{Kind: "evaluation", Stage: s.Name, Epoch: epoch, Metrics: metrics})
	before := math.Inf(-1)
	if l.at.Best != nil {
		before = l.at.Best.Metrics[l.Metric]
	}
	if l.at.Worse++; !isFinite(got) || got < before {
		return nil
	}
	if got > before {
		l.at.Worse = 0
	}
	metrics = maps.Clone(metrics)
	maps.DeleteFunc(metrics, func(_ string, x float64) bool { return !isFinite(x) }) // JSON has no such numbers
	l.at.Best = &Evaluation{Step: l.at.Done, Epoch: epoch, Metrics: metrics}
	l.best = weights
	return l.files.saveBest(weights, l.at.Best)
}

// save keeps a checkpoint of where the stage is.
func (l *loop) save(s *stage) error {
	state, err := s.state()
	if err != nil {
		return err
	}
	return l.saveState(s, state)
}

func (l *loop) saveState(s *stage, state map[string]*tensor.Tensor) error {
	if l.files.dir == "" {
		return nil
	}
	all := maps.Clone(l.weights) // of earlier stages
	maps.Copy(all, state)
	l.at.Seconds = l.seconds()
	if err := l.files.saveLast(all, l.at); err != nil {
		return err
	}
	l.emit(Event{Kind: "checkpoint", Stage: s.Name, Epoch: l.epoch(s)})
	return nil
}

// measure runs the network with the given weights on every validation sample.
func (l *loop) measure(ctx context.Context, s *stage, weights map[string]*tensor.Tensor) (map[string]float64, error) {
	m, feeds, err := l.inference(ctx, s, weights)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	type answered struct {
		sample           int
		outputs, targets []*tensor.Tensor
	}
	answer := func(ctx context.Context, i int) (answered, error) {
		row, err := s.validation.row(ctx, pick{sample: i})
		if err != nil {
			return answered{}, err
		}
		in := make([]*tensor.Tensor, len(feeds))
		for k, f := range feeds {
			in[k] = row[f]
		}
		out, err := m.Run(ctx, in)
		return answered{i, out, row[len(s.halves.feeds):]}, err
	}
	judge := l.Judge()
	for a, err := range prefetch(ctx, slices.Values(s.validation.samples), l.workers, 4*l.workers, answer) {
		if err != nil {
			return nil, err
		}
		if err := judge.Add(a.sample, a.outputs, a.targets); err != nil {
			return nil, err
		}
		m.Recycle(a.outputs)
	}
	return judge.Metrics(), nil
}

// inference loads the suffix as it would be served, and says which feeds it takes.
func (l *loop) inference(ctx context.Context, s *stage, weights map[string]*tensor.Tensor) (*ort.Model, []int, error) {
	g := onnx.Clone(s.halves.suffix)
	mine := map[string]*tensor.Tensor{}
	for _, v := range constants(g) {
		if t, ok := weights[v.Name]; ok {
			mine[v.Name] = t
		}
	}
	if err := Assign(g, mine); err != nil {
		return nil, nil, err
	}
	forInference(g)
	if err := onnx.Simplify(g); err != nil {
		return nil, nil, err
	}
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, nil, err
	}
	o := l.Runtime
	o.Name, o.MaxQueue = l.Graph.Name, 1<<20
	m, err := l.rt.LoadBytes(ctx, data, o)
	if err != nil {
		return nil, nil, err
	}
	var feeds []int
	for _, v := range m.Inputs() {
		feeds = append(feeds, slices.IndexFunc(s.halves.feeds, func(f feed) bool { return f.name == v.Name }))
	}
	return m, feeds, nil
}

// scalar is the one element of a float tensor.
func scalar(t *tensor.Tensor) float64 {
	if d, ok := tensor.Data[float64](t); ok {
		return d[0]
	}
	d, _ := tensor.Data[float32](t)
	return float64(d[0])
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
