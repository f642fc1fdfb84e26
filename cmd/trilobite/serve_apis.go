package main

import (
	"context"
	"log/slog"
	"net/http"

	"trilobite/api/container"
	"trilobite/api/google"
	"trilobite/api/inference"
	"trilobite/api/native"
	"trilobite/api/rekognition"
	"trilobite/api/s3"
	"trilobite/api/vertex"
	"trilobite/api/vision"
	"trilobite/auth"
	"trilobite/config"
	"trilobite/label"
	"trilobite/remote"
	"trilobite/server"
	"trilobite/telemetry"
)

// wiring is what the APIs work with.
type wiring struct {
	*backend

	engine  *label.Engine
	who     *auth.Authenticator
	rec     *telemetry.Recorder
	closing <-chan struct{}
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
	own := native.New(native.Config{Analyzer: engine, Models: store, Pipelines: store, Fetcher: fetcher, Version: version, Log: log})
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
