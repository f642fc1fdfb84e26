package container

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
)

// answer is what an API of this process says. It is an http.ResponseWriter.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the header.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write keeps a part of the body.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// send hands the answer on.
func (a *answer) send(w http.ResponseWriter) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	for _, name := range []string{"Content-Type", "Retry-After"} {
		if v := a.header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) //nolint:gosec // G705: JSON, pictures and forms, never HTML; a failed write means that the client has gone
}

// ask sends a POST request to an API of this process, as part of r: it ends with r.
func ask(h http.Handler, r *http.Request, path, query string, header http.Header, body []byte) *answer {
	plain, err := url.PathUnescape(path)
	if err != nil {
		plain = path
	}
	out := &answer{header: http.Header{}}
	q := (&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: plain, RawPath: path, RawQuery: query}, Host: r.Host,
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, RemoteAddr: r.RemoteAddr,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(r.Context())
	h.ServeHTTP(out, q)
	out.WriteHeader(http.StatusOK)
	return out
}
