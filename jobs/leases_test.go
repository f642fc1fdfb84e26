package jobs

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trilobite"
	"trilobite/custom"
)

// TestTakenUp interrupts a training: the next worker reads what the first read, though
// the data set has changed, in the same folder.
func TestTakenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := b.importing(t, custom.Train, b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
	ctx, die := context.WithCancel(t.Context())
	b.trainer.before = func(ctx context.Context, r custom.TrainingRun) error {
		if err := os.WriteFile(filepath.Join(r.Dir, "checkpoint"), nil, 0o600); err != nil {
			return err
		}
		die()
		return ctx.Err()
	}
	v, err := b.store.CreateVersion(t.Context(), custom.NewVersion{Project: b.project.ARN, Name: "v", Detail: custom.VersionDetail{Output: custom.Output{Bucket: "b"}}, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	task := custom.Task{Work: custom.TrainWork, Subject: v.ID}
	b.Do(ctx, task)
	if got, err := b.store.Version(t.Context(), v.ARN); err != nil || got.Status != custom.TrainingInProgress {
		t.Fatalf("interrupted: %+v, %v", got, err)
	}
	if err := b.store.UpdateEntries(t.Context(), d.ARN, []custom.Entry{{SourceRef: "s3://b/new", Line: `{"source-ref":"s3://b/new"}`}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := b.store.Sweep(t.Context(), time.Now()); err != nil || n != 1 {
		t.Errorf("%d tasks swept at once, %v, want the interrupted one", n, err)
	}
	b.trainer.before = func(_ context.Context, r custom.TrainingRun) error {
		_, err := os.Stat(filepath.Join(r.Dir, "checkpoint"))
		return err
	}
	b.Do(t.Context(), task)
	if got, err := b.store.Version(t.Context(), v.ARN); err != nil || got.Status != custom.TrainingCompleted {
		t.Fatalf("taken up: %+v, %v", got, err)
	}
	if first, second := b.trainer.runs[0], b.trainer.runs[1]; len(first.Train.Images) != 8 || len(second.Train.Images) != 8 || first.Train.Images[0].File != second.Train.Images[0].File || first.Name != second.Name {
		t.Errorf("runs of %d and %d images", len(first.Train.Images), len(second.Train.Images))
	}
}

// TestLostLease ends a training whose task another worker took.
func TestLostLease(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.importing(t, custom.Train, b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
	b.trainer.before = func(ctx context.Context, r custom.TrainingRun) error {
		v := must(b.store.Versions(ctx, b.project.ARN, custom.VersionQuery{Limit: 1}))[0]
		must(b.store.Claim(ctx, custom.Task{Work: custom.TrainWork, Subject: v.ID}, "other", time.Now().Add(time.Hour)))
		err := r.Progress("step 1")
		if trilobite.CodeOf(err) != trilobite.Canceled {
			t.Errorf("progress of a lost training: %v", err)
		}
		return err
	}
	if v := b.training(t, custom.VersionDetail{}); v.Status != custom.TrainingInProgress {
		t.Errorf("status %s: the first worker ended the second's task", v.Status)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestRun lets River bring the tasks: from start to stop, copy and deletion.
func TestRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx, b.store.Driver()) }()
	b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y"))
	d := must(b.store.CreateDataset(ctx, custom.NewDataset{Project: b.project.ARN, Type: custom.Train, Manifest: &custom.Object{Bucket: "b", Key: "m.manifest"}, CreatedAt: time.Now()}))
	wait(t, func() bool { return must(b.store.Dataset(ctx, d.ARN)).Status == custom.CreateComplete })
	v := must(b.store.CreateVersion(ctx, custom.NewVersion{Project: b.project.ARN, Name: "v", Detail: custom.VersionDetail{Output: custom.Output{Bucket: "b"}}, CreatedAt: time.Now()}))
	is := func(v custom.Version, s custom.VersionStatus) {
		t.Helper()
		wait(t, func() bool { return must(b.store.Version(ctx, v.ARN)).Status == s })
	}
	is(v, custom.TrainingCompleted)
	c := must(b.store.CopyVersion(ctx, custom.NewCopy{Source: v.ARN, Project: b.project.ARN, Name: "c", Output: custom.Output{Bucket: "b", Prefix: "copy"}, CreatedAt: time.Now()}))
	is(c, custom.CopyingCompleted)
	if got := must(b.store.Version(ctx, c.ARN)); got.Evaluation.Summary.Key != "copy/EvaluationSummary-shapes-v.json" || b.get(t, got.Evaluation.Summary) == "" {
		t.Errorf("copy %+v", got)
	}
	must(b.store.StartVersion(ctx, c.ARN, 1, 0, time.Now()))
	is(c, custom.Running)
	must(b.store.StopVersion(ctx, c.ARN, time.Now()))
	is(c, custom.Stopped)
	gone := func(v custom.Version) {
		t.Helper()
		must(b.store.DeleteVersion(ctx, v.ARN, time.Now()))
		wait(t, func() bool {
			_, err := b.store.Version(ctx, v.ARN)
			return trilobite.CodeOf(err) == trilobite.NotFound && err != nil
		})
	}
	gone(v)
	if n := b.trainer.gone.Load(); n != 0 {
		t.Error("the model is gone while a copy has it")
	}
	gone(c)
	if n := b.trainer.gone.Load(); n != 1 || b.trainer.loaded.Load() != 1 {
		t.Errorf("the model was removed %d times", n)
	}
	must(b.store.DeleteProject(ctx, b.project.ARN, time.Now()))
	wait(t, func() bool { _, err := b.store.Project(ctx, b.project.ARN); return err != nil })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// wait fails the test unless the state comes within 20 s.
func wait(t *testing.T, state func() bool) {
	t.Helper()
	for range 400 {
		if state() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the state does not come")
}
