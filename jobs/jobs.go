// Package jobs does the work that tasks stand for: imports and checks of data sets,
// trainings, starts and stops of versions, copies and deletions.
//
// A Worker takes a task's lease, keeps it by a heartbeat, and writes only under it; when
// the lease is lost, the work's context ends. Work that is interrupted anywhere is taken
// up again, by the same or another worker, and comes to the same end: imports skip what
// is there, trainings go on from their checkpoints and read the data set as it was when
// they began.
//
// Start at Worker.Run, then Worker.Do; each kind of work has its own file.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/riverqueue/river/riverdriver"

	"trilobite"
	"trilobite/custom"
	"trilobite/jobs/queue"
)

// Objects reads and writes objects of the buckets that an account may use, as package
// objects does.
type Objects interface {
	Open(ctx context.Context, account, bucket, key, version string) (io.ReadCloser, int64, error)
	Stat(ctx context.Context, account, bucket, key string) (int64, error)
	Read(ctx context.Context, account, bucket, key, version string, limit int64) ([]byte, error)
	Write(ctx context.Context, account, bucket, key string, data []byte) error
}

// Config is what a Worker works with.
type Config struct {
	Store     custom.Store
	Objects   Objects
	Trainer   custom.Trainer
	Predictor custom.Predictor
	Dir       string                                    // folder for images and checkpoints
	Limits    Limits                                    // zero: DefaultLimits
	Holder    string                                    // names the worker in leases: one name per process
	Trainings int                                       // at once; 0: none, others train
	FreeDisk  int64                                     // bytes that must be free in Dir for a training to begin; 0: any
	Free      func(dir string) (bytes int64, err error) // nil: what the file system says
	Log       *slog.Logger
}

// Limits are the service's quotas (limits of the Custom Labels developer guide).
type Limits struct {
	ManifestBytes int64
	ManifestLines int
	Labels        int
	ImageBytes    int64
}

// DefaultLimits are Amazon's.
func DefaultLimits() Limits {
	return Limits{ManifestBytes: 1 << 30, ManifestLines: 250_000, Labels: 250, ImageBytes: 15 << 20}
}

// Worker does tasks.
type Worker struct{ Config }

// New returns a worker for c, of which only Limits and Log may be left out.
func New(c Config) *Worker {
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Free == nil {
		c.Free = freeDisk
	}
	return &Worker{c}
}

// Run does tasks until ctx ends.
func (w *Worker) Run(ctx context.Context, driver riverdriver.Driver[*sql.Tx]) error {
	var sweeper sync.WaitGroup
	sweeper.Go(func() { w.sweep(ctx) })
	err := queue.Work(ctx, driver, queue.Options{Trainings: w.Trainings, Log: slog.New(quieter{w.Log.Handler()})}, w.Do)
	sweeper.Wait()
	return err
}

// sweep queues again what lost its worker.
func (w *Worker) sweep(ctx context.Context) {
	tick := time.NewTicker(custom.Sweep)
	defer tick.Stop()
	for {
		if n, err := w.Store.Sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "sweeping tasks", "error", err)
		} else if n > 0 {
			w.Log.InfoContext(ctx, "tasks without a worker are queued again", "tasks", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Do does a task, unless it is done or with another worker.
func (w *Worker) Do(ctx context.Context, t custom.Task) {
	l, err := w.Store.Claim(ctx, t, w.Holder, time.Now())
	switch trilobite.CodeOf(err) {
	case trilobite.NotFound, trilobite.InUse:
		if err != nil {
			return
		}
	default:
	}
	if err != nil {
		w.Log.WarnContext(ctx, "claiming a task", "work", t.Work, "subject", t.Subject, "error", err)
		return // a sweep will bring it back
	}
	working, cancel := context.WithCancelCause(ctx)
	var beat sync.WaitGroup
	beat.Go(func() { w.heartbeat(working, cancel, l) })
	begun := time.Now()
	err = w.work(working, l)
	cancel(nil)
	beat.Wait()
	if err == nil {
		w.Log.InfoContext(ctx, "task done", "work", t.Work, "subject", t.Subject, "after", time.Since(begun).Round(time.Millisecond))
		return
	}
	w.Log.WarnContext(ctx, "task interrupted", "work", t.Work, "subject", t.Subject, "error", err)
	// Given back at once, for the next sweep; that fails if it is lost already.
	_ = w.Store.Extend(context.WithoutCancel(ctx), l, time.Now().Add(-custom.LeaseTime))
}

// heartbeat keeps the lease until ctx ends, and ends ctx when the lease is lost.
func (w *Worker) heartbeat(ctx context.Context, cancel context.CancelCauseFunc, l custom.Lease) {
	tick := time.NewTicker(custom.Heartbeat)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := w.Store.Extend(ctx, l, time.Now())
		switch {
		case err == nil:
			last = time.Now()
		case trilobite.CodeOf(err) == trilobite.Canceled, time.Since(last) > custom.LeaseTime:
			cancel(fmt.Errorf("lease of %s %d: %w", l.Work, l.Subject, err))
			return
		}
	}
}

// work does what the lease is for. An error leaves the task for a later try; what can
// never succeed ends it in its failed state instead.
func (w *Worker) work(ctx context.Context, l custom.Lease) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.Log.ErrorContext(ctx, "panic", "work", l.Work, "subject", l.Subject, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = w.giveUp(ctx, l)
		}
	}()
	switch l.Work {
	case custom.ImportWork:
		return w.importDataset(ctx, l)
	case custom.CheckWork:
		return w.checkUpdate(ctx, l)
	case custom.DistributeWork:
		return w.distribute(ctx, l)
	case custom.TrainWork:
		return w.train(ctx, l)
	case custom.StartWork:
		return w.start(ctx, l)
	case custom.StopWork:
		return w.stop(ctx, l)
	case custom.CopyWork:
		return w.copyVersion(ctx, l)
	case custom.DeleteVersionWork:
		return w.deleteVersion(ctx, l)
	case custom.DeleteDatasetWork, custom.DeleteProjectWork:
		return w.remove(ctx, l)
	}
	return fmt.Errorf("no such work: %s", l.Work)
}

// internalFault is what people read of a fault of ours; the log has the rest.
const internalFault = "Amazon Rekognition experienced a service issue." // clients know the service's sentence

// giveUp ends a task whose work panicked.
func (w *Worker) giveUp(ctx context.Context, l custom.Lease) error {
	switch l.Work {
	case custom.ImportWork:
		return w.Store.FinishDataset(ctx, l, custom.DidNotImport, internalFault, time.Now())
	case custom.CheckWork:
		return w.Store.FinishDataset(ctx, l, custom.DidNotUpdate, internalFault, time.Now())
	case custom.DistributeWork:
		return w.Store.FinishDistribute(ctx, l, nil, internalFault, time.Now())
	case custom.TrainWork:
		return w.endVersion(ctx, l, custom.DidNotTrain, internalFault)
	case custom.StartWork:
		return w.endVersion(ctx, l, custom.DidNotStart, internalFault)
	case custom.CopyWork:
		return w.endVersion(ctx, l, custom.DidNotCopy, internalFault)
	case custom.StopWork, custom.DeleteVersionWork, custom.DeleteDatasetWork, custom.DeleteProjectWork:
	}
	return errors.New("it panicked")
}

// endVersion ends a version's task with a message.
func (w *Worker) endVersion(ctx context.Context, l custom.Lease, event, message string) error {
	v, err := w.Store.VersionByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	v.Message = message
	return w.Store.FinishVersion(ctx, l, event, v.VersionDetail)
}

// remove takes rows away, some at a time, so that others can write in between.
func (w *Worker) remove(ctx context.Context, l custom.Lease) error {
	const some = 2000
	for {
		if done, err := w.Store.Remove(ctx, l, some); done || err != nil {
			return err
		}
	}
}

// quieter lets only warnings of River through.
type quieter struct{ slog.Handler }

// Enabled reports whether a record is kept.
func (q quieter) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// WithAttrs keeps the handler quiet.
func (q quieter) WithAttrs(a []slog.Attr) slog.Handler { return quieter{q.Handler.WithAttrs(a)} }

// WithGroup keeps the handler quiet.
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }
