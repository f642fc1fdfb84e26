package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trilobite/config"
	"trilobite/imageio"
	"trilobite/label"
	"trilobite/ort"
	"trilobite/remote"
	"trilobite/serving"
	"trilobite/zoo"
)

// App is what the commands share: the settings and the way to everything they name.
type App struct {
	file    string // --config
	program string // the path of this program; "" in tests
}

// addFlags declares the settings that have a flag on every command.
func (a *App) addFlags(f *pflag.FlagSet) {
	f.StringVar(&a.file, "config", os.Getenv("TRILOBITE_CONFIG"), "settings `file` (YAML); $TRILOBITE_CONFIG")
	f.String("home", "", "`folder` for models, keys and caches")
	f.String("packages", "", "`folder` for fetched packages")
	f.StringSlice("models", nil, "models to use, `name` or name@version")
	f.String("ort-library", "", "ONNX Runtime's shared library `file`")
	f.String("ort-provider", "", "cpu or cuda")
	f.Int("ort-threads", 0, "cores to use (0: all)")
	f.String("log-level", "", "debug, info, warn or error")
	f.String("log-format", "", "text or json")
}

// config returns the settings in force for a command.
func (a *App) config(cmd *cobra.Command) (config.Config, error) {
	c, _, err := config.Load(a.file, cmd.Flags())
	return c, err
}

// logger writes to standard error as the settings say.
func logger(c config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, fmt.Errorf("log.level is %q; it is debug, info, warn or error", c.Level)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o)), nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o)), nil
}

// openEngine loads the named models, or the configured ones, for a command.
func (a *App) openEngine(cmd *cobra.Command, models []string) (*label.Engine, error) {
	c, err := a.config(cmd)
	if err != nil {
		return nil, err
	}
	if len(models) > 0 {
		c.Models = models
	}
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return nil, err
	}
	return loadEngine(cmd.Context(), rt, c)
}

// loadEngine opens the configured models for a command.
func loadEngine(ctx context.Context, rt *ort.Runtime, c config.Config) (*label.Engine, error) {
	return label.OpenAlone(ctx, servingConfig(rt, c, nil), c.Models)
}

// servingConfig serves the models of the store.
func servingConfig(rt *ort.Runtime, c config.Config, rec ort.Recorder) serving.Config {
	return serving.Config{
		Runtime: rt, Store: zoo.NewStore(c.Home),
		Options: ort.Options{
			Provider: c.ORT.Provider, Device: c.ORT.Device, MaxQueue: c.ORT.Queue, MaxBatch: c.ORT.Batch, MaxWait: c.ORT.Wait,
		},
		Memory: c.Serving.Memory, Images: c.Limits.Memory, Limits: imageio.Limits{Pixels: int(c.Limits.Pixels)}, Recorder: rec,
	}
}

func openRuntime(c config.ORT) (*ort.Runtime, error) {
	if c.Threads > 0 {
		return ort.OpenCores(c.Library, c.Threads)
	}
	return ort.Open(c.Library)
}

// fetch reads an image by URL for the person at the command line, who may name any
// address.
func (a *App) fetch(ctx context.Context, url string) ([]byte, error) {
	return remote.New(remote.Config{Hosts: []string{"*"}, Private: true}).Fetch(ctx, url, maxImageFile)
}

// puller installs models where the settings say.
func puller(c config.Config, cmd *cobra.Command, quiet bool) zoo.Puller {
	p := zoo.Puller{Store: zoo.NewStore(c.Home), Packages: c.Packages, Log: cmd.ErrOrStderr()}
	if quiet {
		p.Log = io.Discard
	}
	return p
}

// masterKeyFile is where the master key lies unless TRILOBITE_MASTER_KEY is set.
func masterKeyFile(c config.Config) string { return filepath.Join(c.Home, "master.key") }

// databaseFile is the store of records, unless the settings name a database.
func databaseFile(c config.Config) string { return filepath.Join(c.Home, "trilobite.db") }
