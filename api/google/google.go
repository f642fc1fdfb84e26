// Package google has what Google's APIs have in common on the wire: errors as
// google.rpc.Status, over gRPC and as JSON (status.go), bodies of JSON (json.go) and the
// query parameters that every method takes (params.go). Vision and Vertex are built on it.
package google

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"trilobite"
)

// CodedBody gives the server's own errors about a body, too slow or too much at once,
// the form in which the gRPC library keeps their codes.
func CodedBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = coded{r.Body}
		next.ServeHTTP(w, r)
	})
}

type coded struct{ io.ReadCloser }

// Read reads, and translates errors.
func (c coded) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return n, ConnectError(err)
	}
	return n, err
}

// Short keeps a client's own text from filling an answer or a log.
func Short(s string) string {
	const most = 200
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// Invalid is the error of a request that breaks a rule.
func Invalid(msg string) error {
	return &trilobite.Error{Op: "google", Code: trilobite.Invalid, Msg: msg}
}
