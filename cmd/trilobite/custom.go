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

	"trilobite"
	"trilobite/config"
	"trilobite/custom"
	"trilobite/imageio"
	"trilobite/jobs"
	"trilobite/learn"
	"trilobite/objects"
	"trilobite/ort"
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
	if c.Database != "" {
		return postgres.Open(ctx, c.Database)
	}
	return sqlite.Open(ctx, databaseFile(c))
}

// customFolder is where custom models, their images and trainings under way are.
func customFolder(c config.Config) string { return filepath.Join(c.Home, "custom") }

// customModels trains and runs custom models.
func customModels(c config.Config, log *slog.Logger, rt *ort.Runtime) *learn.Engine {
	return &learn.Engine{
		Runtime: rt, Models: zoo.NewStore(customFolder(c)),
		Puller:  zoo.Puller{Store: zoo.NewStore(c.Home), Packages: c.Packages, Log: io.Discard},
		Options: ort.Options{Provider: c.ORT.Provider, Device: c.ORT.Device, MaxQueue: c.ORT.Queue},
		Gate:    imageio.NewGate(c.Limits.Memory, c.ORT.Queue),
		Limits:  imageio.Limits{Pixels: int(c.Limits.Pixels)},
		Budget:  c.Training.Budget,
		Search:  c.Training.Search,
		Log:     log,
	}
}

// startWorker begins to do tasks, until ctx ends, and returns what waits for the end.
func startWorker(ctx context.Context, c config.Config, log *slog.Logger, db records, buckets *objects.Buckets, models *learn.Engine) (wait func() error) {
	ctx, stop := context.WithCancel(ctx)
	w := jobs.New(jobs.Config{
		Store: db, Objects: buckets, Trainer: models, Predictor: models, Dir: customFolder(c), Holder: holder(), Log: log,
	})
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, db.Driver()) }()
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
