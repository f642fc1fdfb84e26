// Package vertex answers online predictions as Vertex AI's endpoints do, over gRPC and over
// REST with JSON: each model of the store is an endpoint of its name, and answers in the
// shapes of AutoML's image models.
//
// Start at Handler; rest.go and grpc.go are its two doors, predict.go is the call itself,
// instance.go reads images and parameters, prediction.go turns what a model saw into
// Vertex' shapes, and endpoint.go describes an endpoint, which Google's Python client asks
// for before it predicts. The messages are those of cloud.google.com/go/aiplatform, errors
// and JSON are package google's. docs/api-serving.md says what differs. Training, data
// sets, raw and streamed predictions are answered UNIMPLEMENTED.
package vertex

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"trilobite/serving"
)

// The path prefixes of the gRPC services.
const (
	Predictions = "/google.cloud.aiplatform.v1.PredictionService/"
	Endpoints   = "/google.cloud.aiplatform.v1.EndpointService/"
)

// restPath is the pattern of the paths of an endpoint, which lie among Vision's.
const restPath = "/v1/projects/{project}/locations/{location}/endpoints/"

// Limits of a request: an image of 20 MiB in base64 and room for the rest; as many images as
// the containers take. Vertex itself takes 1.5 MB, one image.
const (
	maxBytes     = 28 << 20
	maxInstances = 64
)

// Models are the models of the store; *serving.Registry is one.
type Models interface {
	Status(ref string) (serving.Status, error)
	Look(ctx context.Context, ref string, image []byte, p serving.Params) (*serving.Seen, error)
}

// Config is what a Handler needs.
type Config struct {
	Models   Models
	Parallel int          // images of one request looked at together; 0: 4
	Log      *slog.Logger // nil: slog.Default()
}

// Handler serves restPath and both gRPC services.
type Handler struct {
	config Config
	rpc    http.Handler
	rest   http.Handler
}

// New returns a Handler.
func New(c Config) *Handler {
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	h := &Handler{config: c}
	h.rpc, h.rest = h.grpcRoutes(), h.restRoutes()
	return h
}

// ServeHTTP answers a request of either door.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		h.rest.ServeHTTP(w, r)
		return
	}
	h.rpc.ServeHTTP(w, r)
}

// Operation names the call that a request makes, for logs and metrics; "unknown" where it
// makes none that is offered.
func Operation(r *http.Request) string {
	switch _, verb := call(r.URL.Path); {
	case r.URL.Path == Predictions+"Predict", verb == "predict":
		return "Predict"
	case r.URL.Path == Endpoints+"GetEndpoint", verb == "" && strings.HasPrefix(r.URL.Path, "/v1/"):
		return "GetEndpoint"
	}
	return "unknown"
}

// call cuts a REST path into the endpoint's name and the verb behind its colon.
func call(path string) (name, verb string) {
	name, verb, _ = strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ":")
	return name, verb
}
