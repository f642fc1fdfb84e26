// Package native is Trilobite's own API, /api/v1: what the vendors' APIs answer, in
// plain JSON with scores of 0 to 1 and boxes in pixels, described by an OpenAPI 3.1
// document at /api/v1/openapi.json.
//
// Start at New, which has every route; request.go reads an image and its options
// from JSON, a form or plain bytes, answer.go is the result and errors.go the one
// table of errors; models.go and predict.go serve one model by its name, pipeline.go
// how images are prepared for it. docs/api-native.md has examples. There is no page that shows the
// document: those that exist load scripts from elsewhere.
package native

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"trilobite"
)

// prefix is the first part of every path of this API.
const prefix = "/api/v1"

// Analyzer looks at one image, in any format that Trilobite reads.
type Analyzer interface {
	Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error)
}

// Fetcher reads an http or https URL of at most limit bytes.
type Fetcher interface {
	Fetch(ctx context.Context, url string, limit int64) ([]byte, error)
}

// Config is what a Handler needs. Only Analyzer is required.
type Config struct {
	Analyzer   Analyzer
	Models     Models       // nil: there are none
	Pipelines  Pipelines    // nil: they can be neither seen nor changed
	Fetcher    Fetcher      // images by URL; nil: none are allowed
	MinScore   float32      // where a request names none, 0 to 1; 0: 0.5
	ImageBytes int64        // of one image; 0: 20 MiB
	Version    string       // of Trilobite, in the OpenAPI document
	Log        *slog.Logger // nil: slog.Default()
}

// Handler serves the API.
type Handler struct {
	config Config
	mux    *http.ServeMux
	api    huma.API
}

// New returns a Handler.
func New(c Config) *Handler {
	if c.MinScore == 0 {
		c.MinScore = 0.5
	}
	if c.ImageBytes == 0 {
		c.ImageBytes = 20 << 20
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	h := &Handler{config: c, mux: http.NewServeMux()}
	h.api = humago.NewWithPrefix(h.mux, prefix, apiConfig(c.Version))
	h.analysis("detect", "Find objects and their boxes", []string{detections})
	h.analysis("label", "Name what an image shows", []string{labels})
	h.analysis("analyze", "Everything that an image can be asked", nil)
	if h.config.Models != nil {
		h.modelRoutes()
	}
	if h.config.Pipelines != nil {
		h.pipelineRoutes()
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, &trilobite.Error{
			Op: "native", Code: trilobite.NotFound,
			Msg: fmt.Sprintf("%s %.200s is nothing here: see %s/openapi.json.", r.Method, strings.ToValidUTF8(r.URL.Path, "\uFFFD"), prefix),
		})
	})
	return h
}

// apiConfig is huma's without what it would load from elsewhere (the page of docs)
// or add to answers (links to schemas).
func apiConfig(version string) huma.Config {
	c := huma.DefaultConfig("Trilobite", version)
	c.Info.Description = "What models of this server see in an image. Scores are 0 to 1, boxes are [x1, y1, x2, y2] in pixels of the upright image."
	c.DocsPath = ""
	c.SchemasPath = ""
	c.CreateHooks = nil
	return c
}

// ServeHTTP answers a request below /api/v1/.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Operation names the call that a request makes, for logs and metrics; "unknown"
// where it makes none.
func Operation(r *http.Request) string {
	path := strings.TrimPrefix(r.URL.Path, prefix+"/")
	if of, ok := strings.CutPrefix(path, "models/"); ok {
		_, verb, _ := strings.Cut(of, "/")
		switch verb {
		case "":
			return "describeModel"
		case "load", "unload":
			return verb + "Model"
		case "pipeline":
			if r.Method == http.MethodPut {
				return "setPipeline"
			}
			return "getPipeline"
		case "pipeline/rollback":
			return "rollbackPipeline"
		case "classify", "detect", "segment", "predict":
			return verb + "WithModel"
		}
		return "unknown"
	}
	switch path {
	case "detect", "label", "analyze":
		return path
	case "models":
		return "listModels"
	case "openapi.json", "openapi.yaml":
		return "openapi"
	}
	return "unknown"
}
