package main

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite/ort"
	"trilobite/tensor"
)

// pool is measure for package ort: v.clients ask one after the other, and the scheduler
// chooses sessions and threads. What it lacks of the bare loop is what the pool costs.
func (m *model) pool(v variant, cores int, each time.Duration) (rate, cpu float64, err error) {
	rt, err := ort.OpenCores("", cores)
	if err != nil {
		return 0, 0, err
	}
	ctx := context.Background()
	pool, err := rt.Load(ctx, m.path, ort.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer pool.Close()
	var images atomic.Int64
	g := new(errgroup.Group)
	start, before := time.Now(), processor()
	end := start.Add(each)
	for range v.clients {
		g.Go(func() error {
			in, err := inputs(pool)
			if err != nil {
				return err
			}
			for time.Now().Before(end) {
				out, err := pool.Run(ctx, in)
				if err != nil {
					return err
				}
				pool.Recycle(out)
				images.Add(1)
			}
			return nil
		})
	}
	err = g.Wait()
	took, used := time.Since(start), processor()-before
	n := float64(images.Load())
	return n / took.Seconds(), used.Seconds() * 1000 / n, err
}

// inputs returns zeros for one image.
func inputs(m *ort.Model) ([]*tensor.Tensor, error) {
	var in []*tensor.Tensor
	for _, v := range m.Inputs() {
		shape := append([]int64(nil), v.Shape...)
		if shape[0] < 0 {
			shape[0] = 1
		}
		x, err := tensor.New(v.DType, shape)
		if err != nil {
			return nil, err
		}
		in = append(in, x)
	}
	return in, nil
}
