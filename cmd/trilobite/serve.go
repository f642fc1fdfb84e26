package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/api/container"
	"trilobite/api/google"
	"trilobite/api/inference"
	"trilobite/api/native"
	"trilobite/api/rekognition"
	"trilobite/api/s3"
	"trilobite/api/vertex"
	"trilobite/api/vision"
	"trilobite/auth"
	"trilobite/backup"
	"trilobite/config"
	"trilobite/label"
	"trilobite/learn"
	"trilobite/objects"
	"trilobite/remote"
	"trilobite/server"
	"trilobite/serving"
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
	f.StringSlice("serving-operators", nil, "`accounts` whose keys may load and unload models")
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
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return err
	}
	registry := serving.New(servingConfig(rt, c, rec))
	defer registry.Close()
	engine, err := label.Open(ctx, registry, c.Models)
	if err != nil {
		return err
	}
	defer engine.Close()
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	who, err := authenticator(c, db)
	if err != nil {
		return err
	}
	buckets, err := openBuckets(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, buckets.Close()) }()
	hosted, err := openHosted(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hosted.Close()) }()
	buckets.Host(hosted)
	models := customModels(c, log, rt, registry)
	closeShelf, err := shareModels(ctx, c, models)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeShelf()) }()
	collecting, stopCollecting := context.WithCancel(ctx)
	waitCollected := collectEvery(collecting, c, log, db, hosted)
	defer func() { stopCollecting(); waitCollected() }()
	stopWorker := startWorker(ctx, c, log, db, buckets, models, models)
	defer func() { err = errors.Join(err, stopWorker()) }()
	sc, err := serverConfig(c, log, wiring{registry, engine, who, buckets, hosted, rec, db, models, ctx.Done()})
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

// wiring is what the APIs work with.
type wiring struct {
	registry *serving.Registry
	engine   *label.Engine
	who      *auth.Authenticator
	buckets  *objects.Buckets
	hosted   *objects.Hosted
	rec      *telemetry.Recorder
	db       records
	models   *learn.Engine
	closing  <-chan struct{}
}

// serverConfig wires the APIs to the engine, the keys, the buckets and the custom models.
func serverConfig(c config.Config, log *slog.Logger, w wiring) (server.Config, error) {
	engine, who, buckets, rec := w.engine, w.who, w.buckets, w.rec
	account := func(ctx context.Context) string {
		if id, ok := auth.FromContext(ctx); ok {
			return id.Account
		}
		return auth.DefaultAccount
	}
	store := operators(c, w.registry, account)
	var fetcher vision.Fetcher
	if len(c.Fetch.Hosts) > 0 {
		fetcher = remote.New(remote.Config{Hosts: c.Fetch.Hosts})
	}
	var certificate *server.Certificate
	if c.TLS.Cert != "" {
		var err error
		if certificate, err = server.LoadCertificate(c.TLS.Cert, c.TLS.Key); err != nil {
			return server.Config{}, err
		}
	}
	guarded := func(refused func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler { return who.Middleware(next, refused) }
	}
	own := native.New(native.Config{Analyzer: engine, Models: store, Fetcher: fetcher, Version: version, Log: log})
	tensors := inference.New(inference.Config{Models: store, Version: version, Log: log})
	return server.Config{
		Rekognition: server.API{
			Name: "rekognition",
			Handler: rekognition.New(rekognition.Config{
				Analyzer: engine, Objects: buckets, Auth: noting{who}, Version: version, Log: log,
				Custom: w.db, Predictor: w.models, Closing: w.closing,
			}),
			Operation: rekognition.Operation,
			Error:     rekognition.WriteError,
		},
		Vision: server.API{
			Name:      "vision",
			Handler:   vision.New(vision.Config{Analyzer: engine, Objects: buckets, Fetcher: fetcher, Account: account, Log: log}),
			Auth:      guarded(google.WriteError),
			Operation: vision.Operation,
			Error:     google.WriteError,
		},
		Native: server.API{
			Name:      "native",
			Handler:   own,
			Auth:      guarded(native.WriteError),
			Operation: native.Operation,
			Error:     native.WriteError,
		},
		Inference: server.API{
			Name:      "inference",
			Handler:   tensors,
			Auth:      guarded(inference.WriteError),
			Operation: inference.Operation,
			Error:     inference.WriteError,
		},
		SageMaker: server.API{
			Name:      "sagemaker",
			Handler:   &container.Endpoint{APIs: container.APIs{Native: own, Inference: tensors}, Auth: noting{who}},
			Operation: func(*http.Request) string { return "InvokeEndpoint" },
			Error:     container.WriteEndpointError,
		},
		Vertex: server.API{
			Name:      "vertex",
			Handler:   vertex.New(vertex.Config{Models: store, Log: log}),
			Auth:      guarded(google.WriteError),
			Operation: vertex.Operation,
			Error:     google.WriteError,
		},
		S3:      s3API(c, log, w),
		Account: account,
		Metrics: rec.Handler(),
		Meter:   rec,
		Log:     log,
		Version: version,
		Open:    !c.Auth,
		Hosts:   c.Hosts,
		TLS:     certificate,
		Limits:  server.Limits{Request: c.Limits.Request},
	}, nil
}

// s3API serves the buckets that clients make.
func s3API(c config.Config, log *slog.Logger, w wiring) server.API {
	api := s3.New(s3.Config{
		Buckets: w.hosted, Auth: noting{w.who}, Taken: w.buckets.Configured, Hosts: append([]string{"localhost"}, c.Hosts...), Log: log,
	})
	return server.API{Name: "s3", Handler: api, Operation: api.Operation, Error: s3.WriteError, Large: true}
}

// noting tells the server's log whose a signed request is; the other APIs' callers are
// known from their context.
type noting struct{ *auth.Authenticator }

// SigV4 is the Authenticator's.
func (n noting) SigV4(r *http.Request, service string, body func() ([]byte, error)) (auth.Identity, error) {
	who, err := n.Authenticator.SigV4(r, service, body)
	if err == nil {
		server.NoteAccount(r.Context(), who.Account)
	}
	return who, err
}

// S3 is the Authenticator's.
func (n noting) S3(r *http.Request) (auth.Identity, *auth.S3Body, error) {
	who, body, err := n.Authenticator.S3(r)
	if err == nil {
		server.NoteAccount(r.Context(), who.Account)
	}
	return who, body, err
}

// operated lets only those load and unload models who may.
type operated struct {
	*serving.Registry

	may func(context.Context) bool
}

// operators returns the registry for the accounts that the settings name; without keys,
// for everyone.
func operators(c config.Config, r *serving.Registry, account func(context.Context) string) operated {
	return operated{r, func(ctx context.Context) bool { return !c.Auth || slices.Contains(c.Serving.Operators, account(ctx)) }}
}

// Load is the Registry's.
func (o operated) Load(ctx context.Context, ref string) error {
	if !o.may(ctx) {
		return notOperator()
	}
	return o.Registry.Load(ctx, ref)
}

// Unload is the Registry's.
func (o operated) Unload(ctx context.Context, ref string) error {
	if !o.may(ctx) {
		return notOperator()
	}
	return o.Registry.Unload(ctx, ref)
}

func notOperator() error {
	return &trilobite.Error{
		Op: "serve", Code: trilobite.Forbidden,
		Msg: "Models are loaded and unloaded by the accounts of the setting serving.operators; this key's is none of them.",
	}
}

// authenticator returns who verifies callers.
func authenticator(c config.Config, db records) (*auth.Authenticator, error) {
	if !c.Auth {
		return auth.Off(), nil
	}
	sealer, err := openSealer(c)
	if err != nil {
		return nil, err
	}
	return auth.New(auth.Config{Store: db, Sealer: sealer}), nil
}

// openKeys opens the store of keys and the master key that seals their secrets.
func openKeys(ctx context.Context, c config.Config) (*auth.Keys, func() error, error) {
	sealer, err := openSealer(c)
	if err != nil {
		return nil, nil, err
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	return &auth.Keys{Store: db, Sealer: sealer}, db.Close, nil
}

func openSealer(c config.Config) (*auth.Sealer, error) {
	if err := os.MkdirAll(c.Home, 0o700); err != nil {
		return nil, err
	}
	master, err := auth.MasterKey(os.Getenv("TRILOBITE_MASTER_KEY"), masterKeyFile(c))
	if err != nil {
		return nil, err
	}
	return auth.NewSealer(master)
}

// openHosted opens the buckets that clients make.
func openHosted(ctx context.Context, c config.Config) (*objects.Hosted, error) {
	at, err := hostedURL(c)
	if err != nil {
		return nil, err
	}
	hosted, err := objects.OpenHosted(ctx, at)
	if err == nil {
		hosted.Quota = c.Quota.Bytes
	}
	return hosted, err
}

// hostedURL is where the buckets that clients make are kept. In a folder, a file that is
// being written lies beside its place, so that it can take it in one step.
func hostedURL(c config.Config) (string, error) {
	if c.S3.URL != "" {
		return c.S3.URL, nil
	}
	folder, err := filepath.Abs(filepath.Join(c.Home, "s3"))
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(folder), RawQuery: "create_dir=true&dir_file_mode=0700&no_tmp_dir=true"}
	return u.String(), nil
}

func openBuckets(c config.Config) (*objects.Buckets, error) {
	named, err := c.NamedBuckets()
	if err != nil {
		return nil, err
	}
	all := map[string]objects.Bucket{}
	for _, b := range named {
		o := all[b.Name]
		o.URL = b.URL
		if b.Account != "" {
			o.Accounts = append(o.Accounts, b.Account)
		}
		all[b.Name] = o
	}
	return objects.New(all)
}
