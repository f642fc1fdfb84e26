package train

import (
	"context"
	"errors"
	"fmt"

	"trilobite"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
)

// supply makes the rows that a step takes of a sample: the suffix's inputs, then the
// targets, each with a batch of 1.
type supply struct {
	source     Source
	variants   int // of the source that are used; 0: any number
	validation bool
	samples    []int // those that can be used
	feeds      []feed
	prefix     *ort.Model // nil: nothing is frozen
	cache      *cache
}

// loadPrefix makes a model of the frozen part; nil where there is none.
func loadPrefix(ctx context.Context, rt *ort.Runtime, g *onnx.Graph, o ort.Options) (*ort.Model, error) {
	if g == nil {
		return nil, nil
	}
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, err
	}
	o.Name, o.MaxQueue = "the frozen part of "+g.Name, 1<<20
	return rt.LoadBytes(ctx, data, o)
}

// row makes or finds the rows of a sample.
func (s *supply) row(ctx context.Context, p pick) ([]*tensor.Tensor, error) {
	if s.variants == 0 {
		return s.make(ctx, p.sample, p.variant)
	}
	v := p.variant % uint64(s.variants)
	k := key{s.validation, p.sample, int(v)}
	rows, err := s.cache.get(k)
	if err != nil || rows != nil {
		return rows, err
	}
	if rows, err = s.make(ctx, p.sample, v); err == nil {
		s.cache.put(k, rows)
	}
	return rows, err
}

// unusable is the error of a sample that cannot be made.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

func (s *supply) make(ctx context.Context, i int, variant uint64) ([]*tensor.Tensor, error) {
	sample, err := s.source.Sample(ctx, i, variant)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, unusable{err}
	}
	var computed []*tensor.Tensor
	if s.prefix != nil {
		if computed, err = s.prefix.Run(ctx, sample.Inputs); err != nil {
			return nil, err
		}
	}
	rows := make([]*tensor.Tensor, 0, len(s.feeds)+len(sample.Targets))
	for _, f := range s.feeds {
		if f.prefix >= 0 {
			rows = append(rows, computed[f.prefix])
		} else {
			rows = append(rows, sample.Inputs[f.input])
		}
	}
	return append(rows, sample.Targets...), nil
}

// survey makes every version of every sample once, which fills the cache, or of those
// with any number of versions one, and keeps the samples that can be made. told hears
// of each sample as it is done, dropped of each that cannot be used.
func (s *supply) survey(ctx context.Context, workers int, told func(done, all int), dropped func(i int, err error)) error {
	n := s.source.Len()
	samples := func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
	s.samples = nil
	done, last := 0, error(nil)
	for bad, err := range prefetch(ctx, samples, workers, 4*workers, s.all) {
		if err != nil {
			return err
		}
		if bad == nil {
			s.samples = append(s.samples, done)
		} else {
			last = bad
			dropped(done, bad)
		}
		done++
		told(done, n)
	}
	if len(s.samples) == 0 {
		return &trilobite.Error{Op: "train.Run", Code: trilobite.Invalid,
			Msg: fmt.Sprintf("None of the %d samples can be used.", n), Err: last}
	}
	return nil
}

// all makes every version of sample i; bad says why it cannot be used.
func (s *supply) all(ctx context.Context, i int) (bad, err error) {
	for v := range max(1, s.variants) {
		if _, err := s.row(ctx, pick{i, uint64(v)}); err != nil {
			if u, ok := errors.AsType[unusable](err); ok {
				return u.error, nil
			}
			return nil, err
		}
	}
	return nil, nil
}
