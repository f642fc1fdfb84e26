package train

import (
	"context"
	"iter"
	"slices"

	"trilobite/tensor"
)

// batches yields what the data inputs of steps from…to−1 take, ahead of the steps.
func (s *stage) batches(ctx context.Context, from, to int64, workers int) iter.Seq2[[]*tensor.Tensor, error] {
	if s.order.batch == s.order.samples && s.train.variants == 1 {
		return s.same(ctx, from, to, workers)
	}
	picks := func(yield func(pick) bool) {
		for at := from; at < to; at++ {
			for _, p := range s.order.step(at) {
				if !yield(pick{s.train.samples[p.sample], p.variant}) {
					return
				}
			}
		}
	}
	return func(yield func([]*tensor.Tensor, error) bool) {
		at := from
		var rows [][]*tensor.Tensor
		for row, err := range prefetch(ctx, picks, workers, int(2*s.order.batch), s.train.row) {
			if err != nil {
				yield(nil, err)
				return
			}
			if rows = append(rows, row); int64(len(rows)) < s.order.size(at) {
				continue
			}
			if batch, err := join(rows); !yield(batch, err) || err != nil {
				return
			}
			at, rows = at+1, rows[:0]
		}
	}
}

// same is batches where every step takes every sample and there is one version of each:
// they are joined once, and their order, which changes nothing but rounding, stays.
func (s *stage) same(ctx context.Context, from, to int64, workers int) iter.Seq2[[]*tensor.Tensor, error] {
	return func(yield func([]*tensor.Tensor, error) bool) {
		if s.batch == nil && from < to {
			var rows [][]*tensor.Tensor
			for row, err := range prefetch(ctx, slices.Values(s.train.samples), workers, 4*workers, func(ctx context.Context, i int) ([]*tensor.Tensor, error) {
				return s.train.row(ctx, pick{sample: i})
			}) {
				if err != nil {
					yield(nil, err)
					return
				}
				rows = append(rows, row)
			}
			var err error
			if s.batch, err = join(rows); err != nil {
				yield(nil, err)
				return
			}
		}
		for range to - from {
			if !yield(s.batch, nil) {
				return
			}
		}
	}
}

func join(rows [][]*tensor.Tensor) ([]*tensor.Tensor, error) {
	batch := make([]*tensor.Tensor, len(rows[0]))
	column := make([]*tensor.Tensor, len(rows))
	for i := range batch {
		for j, row := range rows {
			column[j] = row[i]
		}
		var err error
		if batch[i], err = tensor.Join(column...); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// rate is the learning rate of step n, from 1.
func (s *stage) rate(n int64) float64 { return s.updates.LR((n + s.accumulate - 1) / s.accumulate) }

// inputs are what step n, from 1, takes besides the slots.
func (s *stage) inputs(batch []*tensor.Tensor, n int64, lr float64, seed uint64) []*tensor.Tensor {
	named := map[string]*tensor.Tensor{"lr": tensor.Scalar(float32(lr)), "step": tensor.Scalar(n)}
	for i, f := range s.halves.feeds {
		named[f.name] = batch[i]
	}
	for i, name := range s.targets {
		named[name] = batch[len(s.halves.feeds)+i]
	}
	for _, m := range s.built.Masks {
		shape := slices.Clone([]int64(m.Shape))
		for i, d := range shape {
			if d < 0 {
				shape[i] = batch[0].Shape[0]
			}
		}
		named[m.Name] = m.Draw(shape, seed, n)
	}
	infos := s.stepper.Inputs()
	in := make([]*tensor.Tensor, len(infos))
	for i, v := range infos {
		in[i] = named[v.Name]
	}
	return in
}
