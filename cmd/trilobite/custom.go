package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/riverqueue/river/riverdriver"
	"github.com/spf13/pflag"

	"trilobite"
	"trilobite/config"
	"trilobite/custom"
	"trilobite/imageio"
	"trilobite/jobs"
	"trilobite/learn"
	"trilobite/objects"
	"trilobite/ort"
	"trilobite/serving"
	"trilobite/store/postgres"
	"trilobite/store/sqlite"
	"trilobite/zoo"
)

// records is what either store keeps.
type records interface {
	trilobite.KeyStore
	custom.Store
	Driver() riverdriver.Driver[*sql.Tx]
	Close() error
}

// openStore opens the database that the settings name, or the file in the data folder.
func openStore(ctx context.Context, c config.Config) (records, error) {
	quotas := custom.Quotas{Projects: c.Quota.Projects, Versions: c.Quota.Versions, Trainings: c.Quota.Trainings, Running: c.Quota.Running}
	if c.Database != "" {
		db, err := postgres.Open(ctx, c.Database)
		if err == nil {
			db.Quotas = quotas
		}
		return db, err
	}
	db, err := sqlite.Open(ctx, databaseFile(c))
	if err == nil {
		db.Quotas = quotas
	}
	return db, err
}

// customFolder is where custom models, their images and trainings under way are.
func customFolder(c config.Config) string { return filepath.Join(c.Home, "custom") }

// customModels trains and runs custom models.
func customModels(c config.Config, log *slog.Logger, rt *ort.Runtime, registry *serving.Registry) *learn.Engine {
	return &learn.Engine{
		Runtime: rt, Models: zoo.NewStore(customFolder(c)), Registry: registry,
		Puller:  zoo.Puller{Store: zoo.NewStore(c.Home), Packages: c.Packages, Log: io.Discard},
		Options: ort.Options{Provider: c.ORT.Provider, Device: c.ORT.Device, MaxQueue: c.ORT.Queue},
		Gate:    imageio.NewGate(c.Limits.Memory, c.ORT.Queue),
		Limits:  imageio.Limits{Pixels: int(c.Limits.Pixels)},
		Budget:  c.Training.Budget,
		Search:  c.Training.Search,
		Log:     log,
	}
}

// shareModels puts trained models where the settings say that other machines find them.
func shareModels(ctx context.Context, c config.Config, models *learn.Engine) (closeShelf func() error, err error) {
	if c.Training.Models == "" {
		return func() error { return nil }, nil
	}
	shelf, err := objects.OpenShelf(ctx, c.Training.Models)
	if err != nil {
		return nil, err
	}
	models.Shelf = shelf
	return shelf.Close, nil
}

// addTrainingFlags declares what bounds trainings.
func addTrainingFlags(f *pflag.FlagSet) {
	f.Duration("training-budget", 0, "time for the steps of a custom model's training (default 15m)")
	f.Duration("training-search", 0, "time of it for trying networks and settings (default by the data: four times the first try's, 15s at least)")
	f.Int("training-workers", 0, "trainings at once (default 1; 0: other workers train)")
	f.String("training-models", "", "where trained models are shared between machines, a gocloud.dev/blob `URL`")
}

// startWorker begins to do tasks, until ctx ends, and returns what waits for the end.
func startWorker(ctx context.Context, c config.Config, log *slog.Logger, b *backend, predictor custom.Predictor) (wait func() error) {
	ctx, stop := context.WithCancel(ctx)
	w := jobs.New(jobs.Config{
		Store: b.db, Objects: b.buckets, Trainer: b.models, Predictor: predictor, Dir: customFolder(c), Holder: holder(), Log: log,
		Trainings: c.Training.Workers, FreeDisk: c.Training.Disk,
	})
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, b.db.Driver()) }()
	return func() error {
		stop()
		return <-done
	}
}

// holder names this process in leases.
func holder() string {
	host, _ := os.Hostname() // an empty name will do
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), uuid.NewString()[:8])
}
