// Package inference answers the Open Inference Protocol, version 2, as KServe and NVIDIA's
// Triton publish it: over REST with JSON and binary tensor data, and over gRPC, with the
// model repository extension.
//
// A model's inputs and outputs have the names of its ONNX file. An input may be the tensor
// itself or, as BYTES, encoded images, which the model's own preprocessing then turns into
// its input.
//
// Start at New; rest.go and grpc.go are the two doors, request.go and response.go the
// form of an inference over REST, elements.go and binary.go its tensors, config.go Triton's
// description of a model, errors.go the one table of errors. docs/api-serving.md lists what is answered. Shared memory,
// sequences, streams and Triton's statistics are not offered.
package inference

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"trilobite/serving"
	"trilobite/tensor"
)

// Service is the path prefix of the gRPC service.
const Service = "/inference.GRPCInferenceService/"

// maxBody bounds a request in bytes: a tensor of 3×1024×1024 floats has 12 MiB, and in
// JSON three times as many.
const maxBody = 40 << 20

// Models are the models of the store; *serving.Registry is one.
type Models interface {
	List() ([]serving.Status, error)
	Status(ref string) (serving.Status, error)
	Versions(name string) []int
	Values(ctx context.Context, ref string) (serving.Values, error)
	Infer(ctx context.Context, ref string, in map[string]*tensor.Tensor, want []string) (*serving.Tensors, error)
	Load(ctx context.Context, ref string) error
	Unload(ctx context.Context, ref string) error
}

// Config is what a Handler needs.
type Config struct {
	Models  Models
	Version string       // of Trilobite
	Log     *slog.Logger // nil: slog.Default()
}

// Handler serves the API: the REST paths below /v2 and the gRPC service's own.
type Handler struct {
	config Config
	rest   http.Handler
	rpc    http.Handler
}

// New returns a Handler.
func New(c Config) *Handler {
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	h := &Handler{config: c}
	h.rest = h.restRoutes()
	h.rpc = h.grpcRoutes()
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

// Operation names the call that a request makes, in the words of the gRPC service, for
// logs and metrics; "unknown" where it makes none.
func Operation(r *http.Request) string {
	if method, ok := strings.CutPrefix(r.URL.Path, Service); ok {
		for _, m := range methods() {
			if m == method {
				return m
			}
		}
		return "unknown"
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case len(parts) == 1:
		return "ServerMetadata"
	case parts[1] == "repository":
		switch last {
		case "index":
			return "RepositoryIndex"
		case "load":
			return "RepositoryModelLoad"
		case "unload":
			return "RepositoryModelUnload"
		}
	case parts[1] == "models" && (len(parts) == 3 || len(parts) == 5 && parts[3] == "versions"):
		return "ModelMetadata"
	case parts[1] == "models" && last == "ready":
		return "ModelReady"
	case parts[1] == "models" && last == "config":
		return "ModelConfig"
	case parts[1] == "models" && last == "infer":
		return "ModelInfer"
	}
	return "unknown"
}

// methods are the gRPC methods that are offered.
func methods() []string {
	return []string{
		"ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelConfig", "ModelInfer",
		"RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload",
	}
}

// extensions are what of the protocol is offered beyond its core.
func extensions() []string {
	return []string{"binary_tensor_data", "model_repository", "model_configuration"}
}

// name is the server's, in its metadata.
const name = "trilobite"

// platform is what runs the models, in Triton's words.
const platform = "onnxruntime_onnx"

// ref is a model's reference by the protocol's name and version, which may be empty.
func ref(model, version string) string {
	if version == "" {
		return model
	}
	return model + "@" + version
}
