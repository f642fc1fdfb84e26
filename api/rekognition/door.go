package rekognition

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// Operation names the call of a request for logs and metrics: one of the service's
// operations, or "unknown".
func Operation(r *http.Request) string {
	name, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if _, exists := inputs[name]; !ours || !exists {
		return "unknown"
	}
	return name
}

// WriteError answers a request that never reached the API, or that a panic ended, with
// an exception in its shape. Who calls it logs the cause.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	s := &Server{Config: Config{Log: slog.New(slog.DiscardHandler)}}
	s.fail(w, r, begin(w), err)
}

// begin writes the headers that every answer has and returns the request's id: the one
// under which the server's log has it, so that a client's x-amzn-requestid and Logref
// find the line.
func begin(w http.ResponseWriter) string {
	h := w.Header()
	id := h.Get("X-Request-Id")
	if id == "" {
		id = uuid.NewString()
	}
	h.Set("X-Amzn-Requestid", id)
	h.Set("Content-Type", "application/x-amz-json-1.1")
	return id
}
