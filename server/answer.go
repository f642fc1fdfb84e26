package server

import (
	"net/http"
	"sync/atomic"
	"time"
)

// answer watches what a handler writes: status and bytes for the log, a deadline for
// each write so that a client that does not read cannot hold the handler, status
// 408 in place of the handler's own error where the body was cut off for its pace, and
// the word that the connection ends where the server is shutting down.
type answer struct {
	http.ResponseWriter
	record   *record
	write    time.Duration
	draining *atomic.Bool
	status   int // 0 until the header is written
	n        int64
}

// WriteHeader sends the header.
func (w *answer) WriteHeader(status int) {
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(status) // net/http logs where it is superfluous
		return
	}
	if status >= http.StatusContinue && status < http.StatusOK {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.record.slow.Load() && status >= http.StatusBadRequest {
		status = http.StatusRequestTimeout
		w.Header().Set("Connection", "close")
	}
	if w.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *answer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.write))
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// Flush sends what is buffered. The gRPC library asserts http.Flusher.
func (w *answer) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *answer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
