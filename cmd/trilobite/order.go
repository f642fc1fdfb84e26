package main

import (
	"context"
	"iter"
	"sync"
)

// inOrder runs do for every source, at most n (1 or more) at a time, and yields the results in
// the sources' order as they become ready. When ctx ends, what has not begun is left
// out.
func inOrder[T any](ctx context.Context, sources []source, n int, do func(source) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var working sync.WaitGroup
		defer working.Wait()
		defer cancel()
		results := make(chan chan T, n-1) // bounds the work in flight: these and the one waited for
		working.Go(func() {
			defer close(results)
			for _, s := range sources {
				r := make(chan T, 1)
				select {
				case <-ctx.Done():
					return
				case results <- r:
				}
				working.Go(func() { r <- do(s) })
			}
		})
		for r := range results {
			if !yield(<-r) {
				return
			}
		}
	}
}
