package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// record is what is known of one request, for its line in the log. Handlers may
// outlive their request's goroutine, so what they touch is atomic.
type record struct {
	id      string
	account atomic.Pointer[string]
	in      atomic.Int64 // bytes of the body read
	slow    atomic.Bool  // the body was cut off
}

type recordKey struct{}

func recordOf(ctx context.Context) *record {
	rec, _ := ctx.Value(recordKey{}).(*record)
	return rec
}

// RequestID returns the id under which the log has the request of ctx; empty
// outside a request. The answer has it as X-Request-Id.
func RequestID(ctx context.Context) string {
	if rec := recordOf(ctx); rec != nil {
		return rec.id
	}
	return ""
}

// NoteAccount tells the log whose request ctx is. Handlers that check credentials
// themselves call it; for the others Config.Account is asked after Auth.
func NoteAccount(ctx context.Context, account string) {
	if rec := recordOf(ctx); rec != nil {
		rec.account.Store(&account)
	}
}

func (s *Server) noteAccount(next http.Handler) http.Handler {
	if s.config.Account == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if account := s.config.Account(r.Context()); account != "" {
			NoteAccount(r.Context(), account)
		}
		next.ServeHTTP(w, r)
	})
}

// record gives a request its id, catches panics, and writes one log line and one
// count when the request is over. The line has the path, never the query: keys
// travel there.
func (s *Server) record(next http.Handler, a API) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &record{id: requestID(r)}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		ans := &answer{ResponseWriter: w, record: rec, write: s.config.Limits.Write, draining: &s.draining}
		ans.Header().Set("X-Request-Id", rec.id)
		operation := a.Name
		if a.Operation != nil {
			operation = a.Operation(r)
		}
		if m := s.config.Meter; m != nil {
			m.InFlight(1)
			defer m.InFlight(-1)
		}
		aborted := s.serve(next, ans, r, a)
		s.finish(r, a, rec, ans, operation, time.Since(start))
		if aborted {
			panic(http.ErrAbortHandler) // the answer had begun: only a cut connection says that it is not whole
		}
	})
}

// serve runs the handlers and stops panics. It reports whether the connection must
// be cut.
func (s *Server) serve(next http.Handler, w *answer, r *http.Request, a API) (aborted bool) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p != http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
			s.config.Log.ErrorContext(r.Context(), "panic", "request", RequestID(r.Context()), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if w.status == 0 {
				a.Error(w, r, fmt.Errorf("panic: %v", p))
				return
			}
		}
		aborted = true
	}()
	next.ServeHTTP(w, r)
	if w.status == 0 {
		w.status = http.StatusOK // what net/http sends for an empty answer
	}
	return false
}

func (s *Server) finish(r *http.Request, a API, rec *record, w *answer, operation string, d time.Duration) {
	code := w.code()
	if code == "UnknownOperationException" {
		operation = "unknown" // the client's word, which must not become a series
	}
	if m := s.config.Meter; m != nil {
		m.Request(a.Name, operation, code)
	}
	level := slog.LevelInfo
	switch {
	case w.status >= http.StatusInternalServerError:
		level = slog.LevelError
	case a.quiet:
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("request", rec.id),
		slog.String("api", a.Name),
		slog.String("op", operation),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.Int("status", w.status),
		slog.String("code", code),
		slog.Duration("duration", d),
		slog.Int64("in", rec.in.Load()),
		slog.Int64("out", w.n),
		slog.String("remote", r.RemoteAddr),
	}
	if account := rec.account.Load(); account != nil {
		attrs = append(attrs, slog.String("account", *account))
	}
	if id := w.Header().Get("X-Amzn-Requestid"); id != "" {
		attrs = append(attrs, slog.String("aws_request", id))
	}
	s.config.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// code is the API's own word for how it went: AWS's exception, gRPC's status, or the
// HTTP status.
func (w *answer) code() string {
	h := w.Header()
	if t := h.Get("X-Amzn-Errortype"); t != "" {
		return t
	}
	for _, k := range []string{"Grpc-Status", http.TrailerPrefix + "Grpc-Status"} {
		if v := h[k]; len(v) > 0 && v[0] != "0" {
			return "grpc " + v[0]
		}
	}
	if w.status == http.StatusOK {
		return "OK"
	}
	return strconv.Itoa(w.status)
}

// requestID keeps a client's id if it is harmless in logs and headers.
func requestID(r *http.Request) string {
	const most = 128
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > most {
		return uuid.NewString()
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return uuid.NewString()
		}
	}
	return id
}
