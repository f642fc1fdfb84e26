package train

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
)

// prefetch yields what work makes of each job, in the order of the jobs. Up to workers
// of them are done at a time and up to ahead wait to be taken. It ends at the first
// error. A panic, which a stranger's picture may cause, is an error.
func prefetch[J, T any](ctx context.Context, jobs iter.Seq[J], workers, ahead int, work func(context.Context, J) (T, error)) iter.Seq2[T, error] {
	type made struct {
		v   T
		err error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var g sync.WaitGroup
		defer g.Wait()
		defer cancel()
		line := make(chan chan made, max(ahead, 1))
		busy := make(chan struct{}, max(workers, 1))
		g.Go(func() {
			defer close(line)
			for job := range jobs {
				out := make(chan made, 1)
				select {
				case line <- out:
				case <-ctx.Done():
					return
				}
				busy <- struct{}{}
				g.Go(func() {
					defer func() { <-busy }()
					v, err := guarded(ctx, job, work)
					out <- made{v, err}
				})
			}
		})
		for out := range line {
			m := <-out
			if !yield(m.v, m.err) || m.err != nil {
				return
			}
		}
		if ctx.Err() != nil {
			var none T
			yield(none, context.Cause(ctx))
		}
	}
}

func guarded[J, T any](ctx context.Context, job J, work func(context.Context, J) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if ctx.Err() != nil {
		return v, context.Cause(ctx)
	}
	return work(ctx, job)
}
