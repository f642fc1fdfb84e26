// Package queue puts tasks into River's queue, in the transaction of whoever has
// something to do, and gives them to a worker.
//
// River carries the word that there is work and runs it with bounds; it does not decide
// whether work is done: that is the task's row (custom.Task), so that a job that runs
// twice, or is lost, does no harm. docs/adr/0008-river.md says why.
package queue

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"

	"trilobite/custom"
)

// training is the queue of what takes minutes and all cores; everything else is in
// River's default queue and does not wait for it.
const training = "training"

func queueOf(t custom.Task) string {
	if t.Work == custom.TrainWork {
		return training
	}
	return river.QueueDefault
}

// Enqueuer brings River's tables up to date and returns what queues a task.
func Enqueuer(ctx context.Context, driver riverdriver.Driver[*sql.Tx]) (func(context.Context, *sql.Tx, custom.Task) error, error) {
	quiet := slog.New(slog.DiscardHandler)
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("migrating the queue: %w", err)
	}
	client, err := river.NewClient(driver, &river.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *sql.Tx, t custom.Task) error {
		_, err := client.InsertTx(ctx, tx, t, &river.InsertOpts{Queue: queueOf(t), MaxAttempts: 1})
		return err
	}, nil
}

// Options bound a worker.
type Options struct {
	Trainings int // at once; 0: none
	Others    int // at once; 0: 4
	Log       *slog.Logger
}

// Work runs tasks until ctx ends, and then waits for those that run to notice it.
func Work(ctx context.Context, driver riverdriver.Driver[*sql.Tx], o Options, do func(context.Context, custom.Task)) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[custom.Task]) error {
		do(ctx, job.Args)
		return nil // whether it is done, the task's row says
	}))
	queues := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: max(o.Others, 4)}}
	if o.Trainings > 0 {
		queues[training] = river.QueueConfig{MaxWorkers: o.Trainings}
	}
	client, err := river.NewClient(driver, &river.Config{
		Queues:     queues,
		Workers:    workers,
		JobTimeout: -1, // a training takes as long as it takes; leases end what hangs
		// Where the database cannot tell. At a quarter of a second it was 0.6 % of a core,
		// day and night.
		FetchPollInterval: time.Second,
		// Tasks that lost their worker are swept by lease, within seconds. What River
		// rescues by age finds its task done and ends.
		RescueStuckJobsAfter:        24 * time.Hour,
		CompletedJobRetentionPeriod: time.Hour,
		Logger:                      o.Log,
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return fmt.Errorf("starting the worker: %w", err)
	}
	<-client.Stopped()
	return nil
}
