package learn

import (
	"context"
	"testing"
	"time"

	"trilobite"
)

func TestUnits(t *testing.T) {
	t.Parallel()
	const limit = 1
	var u units
	take := func(ctx context.Context, model string, n int) func() {
		t.Helper()
		done, err := u.take(ctx, model, n, limit)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	first, second := take(t.Context(), "a", 2), take(t.Context(), "a", 2)
	take(t.Context(), "b", 1)() // another model has its own
	came := make(chan error)
	go func() {
		done, err := u.take(t.Context(), "a", 2, limit)
		if err == nil {
			defer done()
		}
		came <- err
	}()
	for u.models["a"].waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := u.take(t.Context(), "a", 2, limit); trilobite.CodeOf(err) != trilobite.Throttled {
		t.Errorf("beyond those that may wait: %v", err)
	}
	first()
	if err := <-came; err != nil {
		t.Errorf("after one was given back: %v", err)
	}
	take(t.Context(), "a", 3)() // started anew with more
	second()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	third := take(t.Context(), "c", 1)
	defer third()
	if _, err := u.take(ended, "c", 1, limit); trilobite.CodeOf(err) != trilobite.Canceled {
		t.Errorf("a request that ended: %v", err)
	}
}
