package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/backup"
	"trilobite/config"
	"trilobite/label"
	"trilobite/server"
	"trilobite/telemetry"
)

func newServeCmd(app *App) *cobra.Command {
	var mlDir string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the vendors' APIs, the Open Inference Protocol and the native API on one port",
		Example: `  trilobite serve
  trilobite serve --auth --addr 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem
  AWS_ENDPOINT_URL_REKOGNITION=http://localhost:8080 aws rekognition detect-labels --image-bytes fileb://photo.jpg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			if c.Container {
				return serveContainer(cmd, c, mlDir)
			}
			return serve(cmd.Context(), c)
		},
	}
	f := cmd.Flags()
	f.Bool("container", false, "answer as a container of SageMaker or Vertex AI does, alone, without keys, on 0.0.0.0")
	addMLDir(f, &mlDir)
	f.String("addr", "", "`host:port` to listen on")
	f.String("database", "", "postgres:// `URL` of the records (default a file in the home)")
	f.Bool("auth", false, "require keys (see `trilobite key`)")
	f.Bool("insecure", false, "allow an address beyond this machine without keys")
	f.StringSlice("hosts", nil, "further Host `names` to accept while keys are not required")
	f.String("tls-cert", "", "certificate chain, PEM `file`, read again when it changes")
	f.String("tls-key", "", "private key, PEM `file`")
	addTrainingFlags(f)
	f.StringSlice("buckets", nil, "S3 and gs:// buckets, [ACCOUNT:]`NAME=URL`")
	f.String("s3-url", "", "where buckets that clients make are kept, a gocloud.dev/blob `URL` (default HOME/s3)")
	f.StringSlice("fetch-hosts", nil, "`hosts` that Vision image URIs may name")
	f.Int64("serving-memory", 0, "`bytes` that loaded models may take together (default 2 GiB)")
	f.StringSlice("serving-operators", nil, "`accounts` whose keys may load and unload models and set pipelines")
	f.Int64("limits-memory", 0, "`bytes` that decoded images may take together")
	return cmd
}

// serve runs until ctx ends, then finishes what it accepted.
func serve(ctx context.Context, c config.Config) (err error) {
	start := time.Now()
	if err := server.CheckAddr(c.Addr, c.Auth, c.Insecure); err != nil {
		return err
	}
	log, err := logger(c.Log)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	done, err := backup.Use(c.Home)
	if err != nil {
		return err
	}
	defer done()
	rec := telemetry.New()
	back, err := openBackend(ctx, c, log, rec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, back.Close()) }()
	engine, err := label.Open(ctx, back.registry, c.Models)
	if err != nil {
		return err
	}
	defer engine.Close()
	who, err := authenticator(c, back.db)
	if err != nil {
		return err
	}
	collecting, stopCollecting := context.WithCancel(ctx)
	waitCollected := collectEvery(collecting, c, log, back.db, back.hosted)
	defer func() { stopCollecting(); waitCollected() }()
	stopWorker := startWorker(ctx, c, log, back, back.models)
	defer func() { err = errors.Join(err, stopWorker()) }()
	sc, err := serverConfig(c, log, wiring{back, engine, who, rec, ctx.Done()})
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "ready", "addr", listener.Addr().String(), "auth", c.Auth, "models", c.Models, "after", time.Since(start).Round(time.Millisecond))
	return server.New(sc).Serve(ctx, listener)
}

// listen listens on addr, host:port.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &trilobite.Error{
			Op: "serve", Code: trilobite.InUse,
			Msg: fmt.Sprintf("The address %s is already in use, perhaps by another trilobite: choose one with --addr.", addr), Err: err,
		}
	case err != nil:
		return nil, fmt.Errorf("listening: %w", err)
	}
	return l, nil
}
