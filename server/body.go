package server

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"trilobite"
)

// limit bounds a request's time and its body's size and pace. Bodies of a large API are
// held by nobody and do not count together.
func (s *Server) limit(next http.Handler, large bool) http.Handler {
	l := s.config.Limits
	together := &s.bodies
	if large {
		l.BodyBytes, l.Bodies, l.Request = l.File, math.MaxInt64, l.FileTime
		together = new(atomic.Int64)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := patient(r, l.Gone)
		defer cancel()
		ctx, cancel = context.WithTimeout(ctx, l.Request)
		defer cancel()
		r = r.WithContext(ctx)
		if r.Body != nil && r.Body != http.NoBody {
			b := newBody(w, r, l)
			b.together = together
			defer func() { together.Add(-b.held.Load()) }()
			r.Body = http.MaxBytesReader(w, b, l.BodyBytes)
		}
		next.ServeHTTP(w, r)
	})
}

// patient is r's context, but ends only the given time after the client closed its side
// of the connection. Over HTTP/1 that may mean that it has gone, or that it has sent all
// it wants to send and waits for the answer (a half-closed connection, as of nc or of
// proxies that forward a shutdown): TCP does not tell until we write. An answer takes
// less than a second, so who waits gets it, and for who has gone little is computed. In
// HTTP/2 a client that goes says so.
func patient(r *http.Request, after time.Duration) (context.Context, context.CancelFunc) {
	if r.ProtoMajor != 1 {
		return context.WithCancel(r.Context())
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	stop := context.AfterFunc(r.Context(), func() {
		late := time.AfterFunc(after, func() { cancel(context.Cause(r.Context())) })
		context.AfterFunc(ctx, func() { late.Stop() })
	})
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// body cuts off a client that sends its body too slowly: one that pauses for longer
// than BodyStall, or that after BodyGrace has sent less than BodyRate on average. A
// plain timeout for the whole body would either cut slow uplinks or let a drip of
// single bytes hold a connection for minutes.
//
// It also keeps the bodies of all requests under way, which handlers hold in memory,
// within Limits.Bodies: what arrives beyond is refused as throttled.
type body struct {
	io.ReadCloser
	limits   Limits
	control  *http.ResponseController
	record   *record // nil outside the chain
	start    time.Time
	deadline time.Time     // of the whole request
	together *atomic.Int64 // bytes of all requests under way
	held     atomic.Int64  // this one's part of them
	done     bool
}

func newBody(w http.ResponseWriter, r *http.Request, l Limits) *body {
	b := &body{ReadCloser: r.Body, limits: l, control: http.NewResponseController(w), record: recordOf(r.Context()), start: time.Now()}
	b.deadline, _ = r.Context().Deadline()
	// Set before the first read too: a handler may answer without reading, and then
	// the server itself drains what is left.
	b.setDeadline()
	return b
}

// setDeadline moves the connection's read deadline; where the connection has none
// (tests without a socket) the pace is not bounded.
func (b *body) setDeadline() {
	now := time.Now()
	pace := b.start.Add(b.limits.BodyGrace + time.Duration(b.held.Load())*time.Second/time.Duration(b.limits.BodyRate))
	_ = b.control.SetReadDeadline(earliest(now.Add(b.limits.BodyStall), pace, b.deadline))
}

// Read reads what arrives in time. At the end it takes the deadline away: from then
// on the server reads only to learn whether the client has gone.
func (b *body) Read(p []byte) (int, error) {
	if b.done {
		return 0, io.EOF
	}
	b.setDeadline()
	n, err := b.ReadCloser.Read(p)
	sum := b.together.Add(int64(n))
	held := b.held.Add(int64(n))
	if b.record != nil {
		b.record.in.Store(held)
	}
	switch {
	case sum > b.limits.Bodies:
		return 0, &trilobite.Error{Op: "server.body", Code: trilobite.Throttled, Msg: "Too much is being sent at once: try again."}
	case err == nil:
	case errors.Is(err, io.EOF):
		b.done = true
		_ = b.control.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		if b.record != nil {
			b.record.slow.Store(true)
		}
		err = &trilobite.Error{Op: "server.body", Code: trilobite.Canceled, Msg: "The request body arrived too slowly.", Err: err}
	}
	return n, err
}

func earliest(ts ...time.Time) time.Time {
	first := ts[0]
	for _, t := range ts {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}
