package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"trilobite/train"
)

// learnIn trains with a folder of its own, without a run, and goes on from what the folder
// holds.
func (t *training) learnIn(ctx context.Context, dir string) (*trainResult, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	digest, err := t.set.Digest()
	if err != nil {
		return nil, err
	}
	t.digest = digest
	fingerprint, err := t.fingerprint()
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(filepath.Join(dir, "last.safetensors"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	events := make(chan train.Event, 64) // nobody looks: the route's bar stands still meanwhile
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for range events {
		}
	}()
	m, err := t.task.train(ctx, t, train.Options{
		Dir: dir, Resume: err == nil, Fingerprint: fingerprint, Events: events, Dropped: func(bool, int, error) {}, Runtime: t.options,
	})
	close(events)
	<-drained
	return m, err
}
