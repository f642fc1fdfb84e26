package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/backup"
	"trilobite/config"
	"trilobite/learn"
)

func newWorkerCmd(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Train and import for the servers of a database, on this machine",
		Long: `Does what servers would do beside answering: imports, checks, trainings, copies and
deletions of Custom Labels. Servers and workers share the records: in PostgreSQL (database),
with buckets that all of them reach (buckets, s3.url) and a place for models
(training.models); or on one machine the home. A worker that is stopped gives its task back,
and one that dies loses it after 15 s; another goes on from the last checkpoint. Start servers
with --training-workers 0 to leave trainings to workers.`,
		Example: "  trilobite worker --database postgres://trilobite@db/trilobite --s3-url s3://pictures --training-models s3://models",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			return work(cmd.Context(), c)
		},
	}
	f := cmd.Flags()
	f.String("database", "", "postgres:// `URL` of the records (default a file in the home)")
	f.StringSlice("buckets", nil, "S3 and gs:// buckets, [ACCOUNT:]`NAME=URL`")
	f.String("s3-url", "", "where buckets that clients make are kept, a gocloud.dev/blob `URL` (default HOME/s3)")
	addTrainingFlags(f)
	return cmd
}

// work does tasks until ctx ends.
func work(ctx context.Context, c config.Config) (err error) {
	if c.Database != "" && (c.Training.Models == "" || c.S3.URL == "") {
		return &trilobite.Error{Op: "worker", Code: trilobite.Invalid,
			Msg: "Machines that share a database must share models and buckets too: set training.models and s3.url to URLs that all of them reach."}
	}
	if c.Training.Workers == 0 {
		return &trilobite.Error{Op: "worker", Code: trilobite.Invalid, Msg: "training.workers is 0; a worker trains."}
	}
	log, err := logger(c.Log)
	if err != nil {
		return err
	}
	done, err := backup.Use(c.Home)
	if err != nil {
		return err
	}
	defer done()
	back, err := openBackend(ctx, c, log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, back.Close()) }()
	wait := startWorker(ctx, c, log, back, visitor{back.models})
	log.InfoContext(ctx, "working", "trainings", c.Training.Workers)
	<-ctx.Done()
	return wait()
}

// visitor is a Predictor whose models do not stay in memory: a worker answers no images.
type visitor struct{ *learn.Engine }

// Load looks whether a model can be brought into memory.
func (v visitor) Load(ctx context.Context, model string, replicas int) error {
	if err := v.Engine.Load(ctx, model, replicas); err != nil {
		return err
	}
	return v.Unload(ctx, model)
}
