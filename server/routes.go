package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"trilobite"
	"trilobite/auth"
)

// routes is every path of the port, and S3, which has no path of its own.
// docs/overview.md repeats who owns which first segment.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	if s.config.Only != nil {
		for pattern, a := range s.config.Only {
			mux.Handle(pattern, s.chain(a))
		}
		mux.Handle("/", s.chain(API{}))
		return mux
	}
	mux.Handle("POST /{$}", s.chain(s.config.Rekognition))
	mux.Handle("/v1/", s.chain(s.config.Vision))
	mux.Handle("/google.cloud.vision.v1.ImageAnnotator/", s.chain(s.config.Vision))
	vertex := s.chain(s.config.Vertex)
	mux.Handle("/v1/projects/{project}/locations/{location}/endpoints/", vertex)
	mux.Handle("/google.cloud.aiplatform.v1.PredictionService/", vertex)
	mux.Handle("/google.cloud.aiplatform.v1.EndpointService/", vertex)
	mux.Handle("/api/v1/", s.chain(s.config.Native))
	inference := s.chain(s.config.Inference)
	mux.Handle("/v2", inference)
	mux.Handle("/v2/", inference)
	mux.Handle("/inference.GRPCInferenceService/", inference)
	mux.Handle("/endpoints/", s.chain(s.config.SageMaker))
	mux.HandleFunc("GET /v2/health/live", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /v2/health/ready", s.readyz)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.config.Metrics != nil {
		mux.Handle("GET /metrics", s.chain(API{Name: "metrics", Handler: s.config.Metrics, quiet: true}))
	}
	mux.Handle("/", s.chain(API{}))
	s3 := s.chain(s.config.S3)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.config.S3.Handler != nil && isS3(r) {
			s3.ServeHTTP(w, r) // not through the mux, which takes "a//b" for "a/b"
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// isS3 reports whether a request is S3's: it has no target, as every other AWS API here
// does, and is signed for S3. No path tells, for a bucket may be called "v1".
func isS3(r *http.Request) bool {
	return r.Header.Get("X-Amz-Target") == "" && auth.Service(r) == "s3"
}

// chain is what a request passes on its way to an API: a record for the log, which
// also stops panics; the guard of an open port; the limits of its body and its time;
// its credentials.
func (s *Server) chain(a API) http.Handler {
	if a.Handler == nil {
		a = API{Name: "none", Handler: http.HandlerFunc(s.notFound), Operation: a.Operation, Error: a.Error}
	}
	if a.Error == nil {
		a.Error = writeError
	}
	h := s.noteAccount(a.Handler)
	if a.Auth != nil {
		h = a.Auth(h)
	}
	h = s.limit(h, a.Large)
	if s.config.Open {
		h = s.guard(h, a.Error)
	}
	return s.record(h, a)
}

// readyz tells a load balancer whether to send requests here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		plain(w, http.StatusServiceUnavailable, "shutting down")
		return
	}
	if s.config.Ready != nil {
		if err := s.config.Ready(r.Context()); err != nil {
			plain(w, http.StatusServiceUnavailable, trilobite.Message(err))
			return
		}
	}
	plain(w, http.StatusOK, "ready")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// notFound answers what no API owns with what there is; a gRPC client hears that the
// method is not implemented.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	if rpc := connect.NewErrorWriter(connect.WithRequireConnectProtocolHeader()); rpc.IsSupported(r) {
		_ = rpc.Write(w, r, connect.NewError(connect.CodeUnimplemented, fmt.Errorf("unknown method %.200s", r.URL.Path)))
		return
	}
	problem := map[string]any{
		"code":    trilobite.NotFound,
		"message": fmt.Sprintf("%.10s %.200s is nothing here.", r.Method, strings.ToValidUTF8(r.URL.Path, "\uFFFD")),
	}
	if s.config.Only != nil {
		writeJSON(w, http.StatusNotFound, map[string]any{"error": problem})
		return
	}
	writeJSON(w, http.StatusNotFound, map[string]any{
		"error":   problem,
		"version": s.config.Version,
		"apis": map[string]string{
			"Amazon Rekognition":           "POST /",
			"Amazon S3":                    "what is signed for s3",
			"Google Cloud Vision v1, REST": "POST /v1/images:annotate",
			"Google Cloud Vision v1, gRPC": "/google.cloud.vision.v1.ImageAnnotator/BatchAnnotateImages",
			"Open Inference Protocol v2":   "/v2, /inference.GRPCInferenceService/ModelInfer",
			"SageMaker runtime":            "POST /endpoints/MODEL/invocations",
			"Vertex AI v1, REST":           "POST /v1/projects/PROJECT/locations/LOCATION/endpoints/MODEL:predict",
			"Vertex AI v1, gRPC":           "/google.cloud.aiplatform.v1.PredictionService/Predict",
			"Trilobite":                    "/api/v1/openapi.json",
			"health":                       "/healthz, /readyz, /metrics",
		},
	})
}

// writeError writes an error where no API has a shape of its own for it.
func writeError(w http.ResponseWriter, _ *http.Request, err error) {
	code := trilobite.CodeOf(err)
	writeJSON(w, status(code), map[string]any{"error": map[string]any{"code": code, "message": trilobite.Message(err)}})
}

// status is this package's table of codes, for its own answers only.
func status(c trilobite.Code) int {
	switch c {
	case trilobite.Invalid:
		return http.StatusBadRequest
	case trilobite.NotFound:
		return http.StatusNotFound
	case trilobite.Unauthorized:
		return http.StatusUnauthorized
	case trilobite.Forbidden:
		return http.StatusForbidden
	case trilobite.Throttled, trilobite.LimitExceeded:
		return http.StatusTooManyRequests
	case trilobite.Canceled:
		return http.StatusRequestTimeout
	default:
		return http.StatusInternalServerError
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // a failed write means that the client has gone
}
