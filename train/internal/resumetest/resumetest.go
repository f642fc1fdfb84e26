// Package resumetest has the test that every task of training passes: stopped and taken up
// again it ends as if it had never stopped, and twice the same seed is the same model.
package resumetest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"trilobite/onnx"
	"trilobite/train"
)

// Run stops a training at its first checkpoint, resumes it, trains once more in one go, and
// compares the models bit for bit. Training needs two checkpoints at least.
func Run(t *testing.T, learn func(context.Context, train.Options) (*onnx.Graph, error)) {
	t.Helper()
	dir := t.TempDir()
	events := make(chan train.Event)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for e := range events {
			if e.Kind == "checkpoint" {
				stop()
			}
		}
	}()
	_, err := learn(ctx, train.Options{Dir: dir, Events: events})
	close(events)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v, want %v", err, context.Canceled)
	}
	var models [][]byte
	for _, o := range []train.Options{{Dir: dir, Resume: true}, {}} {
		g, err := learn(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		data, err := onnx.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, data)
	}
	if !bytes.Equal(models[0], models[1]) {
		t.Error("resumed and uninterrupted trainings differ")
	}
}
