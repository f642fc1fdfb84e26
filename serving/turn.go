package serving

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"trilobite"
)

// turns lets as many requests work at once as there are cores; the others wait in the
// order they came. One that is decoded while two others are computed would only
// take their cores and caches away: with eight clients on two cores this is worth a
// tenth of the throughput (bench/RESULTS.md).
type turns struct {
	sem     *semaphore.Weighted
	limit   int64 // requests that may wait
	waiting atomic.Int64
}

func newTurns(cores, limit int) *turns {
	return &turns{sem: semaphore.NewWeighted(int64(cores)), limit: int64(limit)}
}

// take waits for a turn; the caller ends it with done. It fails with Throttled when
// too many wait and Canceled when ctx ends first.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	done = func() { t.sem.Release(1) }
	if t.sem.TryAcquire(1) {
		return done, nil
	}
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > t.limit {
		return nil, &trilobite.Error{
			Op: "serving", Code: trilobite.Throttled,
			Msg: fmt.Sprintf("%d requests are waiting, the limit; try again later.", t.limit),
		}
	}
	if t.sem.Acquire(ctx, 1) != nil {
		return nil, &trilobite.Error{Op: "serving", Code: trilobite.Canceled, Msg: "The request ended before its turn came.", Err: context.Cause(ctx)}
	}
	return done, nil
}
