// Package server puts Trilobite's APIs on one port and keeps the port safe: limits,
// logs, metrics, TLS, a guard against browsers, and a shutdown that finishes what it
// accepted.
//
// Start at Server; routes.go has every path in one function, and chain says what a
// request passes on its way. The APIs come as handlers and bring their own error
// shapes; this package knows no wire format but HTTP. It speaks HTTP/1.1, HTTP/2 with
// TLS, and HTTP/2 in plaintext by prior knowledge, which gRPC clients use.
// docs/threat-model.md says what each of the limits is for.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
)

// API is one of the wire formats on the port. A zero API answers 404.
type API struct {
	Name    string // in logs and metrics
	Handler http.Handler
	// Auth asks for credentials; nil: the Handler does so itself, or nobody does.
	Auth func(http.Handler) http.Handler
	// Operation names the call, for logs and metrics. It returns names from a table
	// of the API's own, never a client's text; nil: the API's name.
	Operation func(*http.Request) string
	// Error writes an error in the API's shape; nil: plain JSON.
	Error func(http.ResponseWriter, *http.Request, error)

	// Large tells that bodies and answers are whole files, which pass through without
	// being held in memory: then Limits.File and FileTime bound them, not BodyBytes,
	// Bodies and Request. Their pace is bounded as everyone's.
	Large bool

	quiet bool // logged only for debugging
}

// Meter counts requests; telemetry.Recorder is one.
type Meter interface {
	Request(api, operation, code string)
	InFlight(n int)
}

// Config is what a Server needs. All of it is optional.
type Config struct {
	Rekognition API // POST /
	Vision      API // /v1/ and the gRPC service
	Native      API // /api/v1/
	Inference   API // /v2 and its gRPC service
	SageMaker   API // /endpoints/
	Vertex      API // /v1/projects/…/endpoints/ and its gRPC services
	S3          API // what is signed for S3, whatever the path

	// Only, where it is set, is all there is on the port, by pattern: the contract of a
	// cloud's container.
	Only map[string]API

	Ready   func(context.Context) error  // nil: ready as soon as it listens
	Account func(context.Context) string // of a request that passed Auth, for logs
	Metrics http.Handler                 // /metrics
	Meter   Meter
	Log     *slog.Logger // nil: slog.Default()
	Version string       // named in answers about nothing else

	// Open tells that no credentials are asked for: then the Host and Origin of every
	// request must be this machine, or one of Hosts.
	Open  bool
	Hosts []string

	TLS    *Certificate // nil: plaintext
	Limits Limits
}

// Limits bound what one client can take. A zero field has the default beside it.
type Limits struct {
	HeaderBytes int           // 64 KiB
	HeaderTime  time.Duration // 10 s from the connection or the request's first byte
	BodyBytes   int64         // 48 MiB; APIs have smaller ones
	Bodies      int64         // 256 MiB of all bodies under way together
	File        int64         // 6 GiB; a body of a Large API
	FileTime    time.Duration // 6 h for a request of a Large API
	BodyStall   time.Duration // 10 s without a byte of the body
	BodyGrace   time.Duration // 20 s before BodyRate is asked for
	BodyRate    int64         // 16 KiB/s on average
	Request     time.Duration // 60 s from the header to the answer
	Gone        time.Duration // 5 s from an HTTP/1 client's closing its side until its request is given up
	Write       time.Duration // 30 s for one write of the answer
	Idle        time.Duration // 2 min between requests
	Connections int           // 1024 at once; more wait
	Lame        time.Duration // 0 s of service between "not ready" and the shutdown
	Parting     time.Duration // 250 ms for kept connections to hear that they end
	Drain       time.Duration // 30 s for accepted requests at shutdown
}

func (l Limits) withDefaults() Limits {
	l.HeaderBytes = cmp.Or(l.HeaderBytes, 64<<10)
	l.HeaderTime = cmp.Or(l.HeaderTime, 10*time.Second)
	l.BodyBytes = cmp.Or(l.BodyBytes, 48<<20)
	l.Bodies = cmp.Or(l.Bodies, 256<<20)
	l.File = cmp.Or(l.File, 6<<30)
	l.FileTime = cmp.Or(l.FileTime, 6*time.Hour)
	l.BodyStall = cmp.Or(l.BodyStall, 10*time.Second)
	l.BodyGrace = cmp.Or(l.BodyGrace, 20*time.Second)
	l.BodyRate = cmp.Or(l.BodyRate, 16<<10)
	l.Request = cmp.Or(l.Request, time.Minute)
	l.Gone = cmp.Or(l.Gone, 5*time.Second)
	l.Write = cmp.Or(l.Write, 30*time.Second)
	l.Idle = cmp.Or(l.Idle, 2*time.Minute)
	l.Connections = cmp.Or(l.Connections, 1024)
	l.Parting = cmp.Or(l.Parting, 250*time.Millisecond)
	l.Drain = cmp.Or(l.Drain, 30*time.Second)
	return l
}

// Server serves the APIs. Make it with New.
type Server struct {
	config   Config
	handler  http.Handler
	draining atomic.Bool
	bodies   atomic.Int64 // bytes that requests under way have sent
}

// New returns a Server that does not listen yet.
func New(c Config) *Server {
	c.Limits = c.Limits.withDefaults()
	if c.Log == nil {
		c.Log = slog.Default()
	}
	s := &Server{config: c}
	s.handler = s.routes()
	return s
}

// Handler returns everything that the port answers, for tests and for embedding.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on l until ctx ends. Then it says that it is not ready, stops
// listening, finishes the requests it accepted and returns nil; or an error, if
// they took longer than Limits.Drain and were cut off. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := s.httpServer()
	l = netutil.LimitListener(l, s.config.Limits.Connections)
	done := make(chan error, 1)
	go func() {
		if s.config.TLS != nil {
			done <- srv.ServeTLS(l, "", "")
			return
		}
		done <- srv.Serve(l)
	}()
	select {
	case err := <-done:
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	return s.shutdown(context.WithoutCancel(ctx), srv, l, done)
}

// shutdown goes in steps, so that nobody who was let in is cut off: a load balancer
// hears "not ready"; the door closes; answers on kept connections say that the
// connection ends, because one that is closed while idle takes along the request that
// its client is just sending; then what is idle is closed and the rest is waited for.
func (s *Server) shutdown(ctx context.Context, srv *http.Server, l net.Listener, done <-chan error) error {
	s.draining.Store(true)
	s.config.Log.InfoContext(ctx, "shutting down", "drain", s.config.Limits.Drain)
	if s.config.Limits.Lame > 0 {
		time.Sleep(s.config.Limits.Lame)
	}
	_ = l.Close() // fails only if it is closed
	time.Sleep(s.config.Limits.Parting)
	ctx, cancel := context.WithTimeout(ctx, s.config.Limits.Drain)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		err = errors.Join(err, srv.Close())
		return fmt.Errorf("requests were cut off after %s: %w", s.config.Limits.Drain, err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("closing: %w", err)
	}
	return nil
}

func (s *Server) httpServer() *http.Server {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	srv := &http.Server{
		Handler:           s.handler,
		Protocols:         &p,
		ReadHeaderTimeout: s.config.Limits.HeaderTime,
		IdleTimeout:       s.config.Limits.Idle,
		MaxHeaderBytes:    s.config.Limits.HeaderBytes,
		// Failed handshakes and the like: a client's fault, not news.
		ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          128,
			MaxReceiveBufferPerConnection: 8 << 20,
			MaxReceiveBufferPerStream:     4 << 20,
			SendPingTimeout:               30 * time.Second,
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              s.config.Limits.Write,
		},
	}
	if s.config.TLS != nil {
		srv.TLSConfig = s.config.TLS.config(s.config.Log)
	}
	return srv
}
