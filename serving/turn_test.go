package serving

import (
	"context"
	"runtime"
	"testing"

	"trilobite"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	turns := newTurns(1, 1)
	first, err := turns.take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	waits, cancel := context.WithCancel(ctx)
	second := make(chan error, 1)
	go func() {
		_, err := turns.take(waits)
		second <- err
	}()
	for turns.waiting.Load() == 0 { // until the second stands in line
		runtime.Gosched()
	}
	if _, err := turns.take(ctx); trilobite.CodeOf(err) != trilobite.Throttled {
		t.Errorf("one too many: %v, want Throttled", err)
	}
	cancel()
	if err := <-second; trilobite.CodeOf(err) != trilobite.Canceled {
		t.Errorf("whoever gave up: %v, want Canceled", err)
	}
	first()
	again, err := turns.take(ctx)
	if err != nil {
		t.Fatalf("after the first is done: %v", err)
	}
	again()
}
