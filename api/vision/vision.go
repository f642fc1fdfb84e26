// Package vision answers the Google Cloud Vision v1 API: BatchAnnotateImages over
// gRPC, gRPC-Web and Connect, and over REST with JSON.
//
// Start at Handler; annotate.go is the call itself, rest.go and grpc.go are its two
// doors, features.go turns what was seen into Google's messages; errors and JSON are
// package google's. The messages are those of cloud.google.com/go/vision/v2.
// docs/api-vision.md lists what is answered and how it differs from Google. Files,
// asynchronous calls and product search are answered UNIMPLEMENTED.
package vision

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"trilobite"
)

// Service is the path prefix of the gRPC service.
const Service = "/google.cloud.vision.v1.ImageAnnotator/"

// Limits of the API, from https://cloud.google.com/vision/quotas: images of one
// request, bytes of one image, bytes of a JSON body. A gRPC message may be larger
// than a JSON body; 41943040 is what Google's error text names.
const (
	maxImages     = 16
	maxImageBytes = 20 << 20
	maxJSONBytes  = 10 << 20
	maxGRPCBytes  = 40 << 20
)

// Analyzer looks at one image, in any format that Trilobite reads.
type Analyzer interface {
	Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error)
}

// Objects reads at most limit bytes of an object of a bucket that the account may
// see. An empty version is the newest.
type Objects interface {
	Read(ctx context.Context, account, bucket, key, version string, limit int64) ([]byte, error)
}

// Fetcher reads an http or https URL of at most limit bytes.
type Fetcher interface {
	Fetch(ctx context.Context, url string, limit int64) ([]byte, error)
}

// Config is what a Handler needs. Only Analyzer is required.
type Config struct {
	Analyzer Analyzer
	Objects  Objects                      // gs:// images; nil: none are found
	Fetcher  Fetcher                      // http(s) images; nil: none are allowed
	Account  func(context.Context) string // whose buckets; nil: account 000000000000
	MinScore float32                      // of labels and objects, 0 to 1; 0: 0.5
	Parallel int                          // images of one request looked at together; 0: 4
	Log      *slog.Logger                 // nil: slog.Default()
}

// Handler serves the API: the REST paths below /v1/ and the gRPC service's own.
type Handler struct {
	config Config
	rpc    http.Handler
	rest   http.Handler
}

// New returns a Handler.
func New(c Config) *Handler {
	if c.Account == nil {
		c.Account = func(context.Context) string { return "000000000000" }
	}
	if c.MinScore == 0 {
		c.MinScore = 0.5
	}
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	h := &Handler{config: c}
	h.rpc = h.grpcRoutes()
	h.rest = h.restRoutes()
	return h
}

// ServeHTTP answers a request of either door.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, Service) {
		h.rpc.ServeHTTP(w, r)
		return
	}
	h.rest.ServeHTTP(w, r)
}

// Operation names the call that a request makes, for logs and metrics; "unknown"
// where it makes none that Google has.
func Operation(r *http.Request) string {
	if method, ok := strings.CutPrefix(r.URL.Path, Service); ok {
		for _, m := range rpcMethods() {
			if m == method {
				return m
			}
		}
		return "unknown"
	}
	switch r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:] {
	case "images:annotate":
		return "BatchAnnotateImages"
	case "images:asyncBatchAnnotate":
		return "AsyncBatchAnnotateImages"
	case "files:annotate":
		return "BatchAnnotateFiles"
	case "files:asyncBatchAnnotate":
		return "AsyncBatchAnnotateFiles"
	}
	return "unknown"
}

// rpcMethods are the methods of google.cloud.vision.v1.ImageAnnotator.
func rpcMethods() []string {
	return []string{"BatchAnnotateImages", "BatchAnnotateFiles", "AsyncBatchAnnotateImages", "AsyncBatchAnnotateFiles"}
}
