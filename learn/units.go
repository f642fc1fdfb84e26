package learn

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"trilobite"
)

// units lets as many requests of each model run side by side as it has inference units; the
// others wait in the order in which they came, up to a limit.
type units struct {
	mu     sync.Mutex
	models map[string]*unit
}

type unit struct {
	size    int
	sem     *semaphore.Weighted
	waiting atomic.Int64
}

// take waits for a unit of the model, which has n; done gives it back. It fails with
// Throttled when limit others wait, and with Canceled.
func (u *units) take(ctx context.Context, model string, n, limit int) (done func(), err error) {
	u.mu.Lock()
	if u.models == nil {
		u.models = map[string]*unit{}
	}
	m := u.models[model]
	if m == nil || m.size != n { // started anew with other units; who has one of the old gives it back there
		m = &unit{size: n, sem: semaphore.NewWeighted(int64(n))}
		u.models[model] = m
	}
	u.mu.Unlock()
	done = func() { m.sem.Release(1) }
	if m.sem.TryAcquire(1) {
		return done, nil
	}
	defer m.waiting.Add(-1)
	if m.waiting.Add(1) > int64(limit) {
		return nil, &trilobite.Error{
			Op: "learn.Predict", Code: trilobite.Throttled,
			Msg: fmt.Sprintf("%d requests wait for the version's %d inference units; try again later, or start it with more.", limit, n),
		}
	}
	if m.sem.Acquire(ctx, 1) != nil {
		return nil, &trilobite.Error{Op: "learn.Predict", Code: trilobite.Canceled, Msg: "The request ended before an inference unit was free.", Err: context.Cause(ctx)}
	}
	return done, nil
}

// forget drops a model's units.
func (u *units) forget(model string) {
	u.mu.Lock()
	delete(u.models, model)
	u.mu.Unlock()
}
