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

// WriteError answers a request that never reached the API with an exception in its
// shape.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	id := uuid.NewString()
	w.Header().Set("X-Amzn-Requestid", id)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	s := &Server{Config: Config{Log: slog.Default()}}
	s.fail(w, r, id, err)
}
