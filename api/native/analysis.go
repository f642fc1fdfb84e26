package native

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"trilobite"
)

// input hands the plain request to the operation: its body has three forms, which
// huma would read as one of them, and quote whole in its errors.
type input struct {
	request *http.Request
	writer  http.ResponseWriter
}

// Resolve is called by huma before the operation.
func (in *input) Resolve(ctx huma.Context) []error {
	in.request, in.writer = humago.Unwrap(ctx)
	return nil
}

type output struct {
	Body *Answer
}

// analysis registers POST /name. Its features are fixed, or nil where the request
// chooses them.
func (h *Handler) analysis(name, summary string, fixed []string) {
	op := huma.Operation{
		OperationID: name, Method: http.MethodPost, Path: "/" + name, Summary: summary,
		Errors: []int{
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge,
			http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		},
	}
	huma.Register(h.api, op, func(ctx context.Context, in *input) (*output, error) {
		answer, err := h.analyze(ctx, in, fixed)
		if err != nil {
			return nil, h.problem(ctx, err)
		}
		return &output{Body: answer}, nil
	})
	// Described only now: huma would read bodies that it knows of.
	h.api.OpenAPI().Paths["/"+name].Post.RequestBody = h.requestBody(reflect.TypeFor[Request]())
}

// requestBody describes the three forms of an image with the fields of kind.
func (h *Handler) requestBody(kind reflect.Type) *huma.RequestBody {
	asked := h.api.OpenAPI().Components.Schemas.Schema(kind, true, kind.Name())
	form := &huma.Schema{
		Type:        huma.TypeObject,
		Description: "The image as a file, beside the fields of the JSON form but image; lists are separated by commas",
		Required:    []string{"file"},
		Properties:  map[string]*huma.Schema{"file": {Type: huma.TypeString, Format: "binary"}},
	}
	plain := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "The image; the fields of the JSON form may stand in the query"}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json":         {Schema: asked},
		"multipart/form-data":      {Schema: form},
		"image/*":                  {Schema: plain},
		"application/octet-stream": {Schema: plain},
	}}
}

func (h *Handler) analyze(ctx context.Context, in *input, fixed []string) (*Answer, error) {
	asked := &Request{}
	if err := h.read(in.writer, in.request, asked); err != nil {
		return nil, err
	}
	if fixed != nil {
		if asked.Features != nil {
			return nil, invalid("features can be chosen only at " + prefix + "/analyze.")
		}
		asked.Features = fixed
	}
	if asked.Features == nil {
		asked.Features = []string{labels, detections}
	}
	params, err := asked.params(h.config.MinScore)
	if err != nil {
		return nil, err
	}
	if err := h.fetch(ctx, &asked.Source); err != nil {
		return nil, err
	}
	a, err := h.config.Analyzer.Analyze(ctx, asked.Image, params)
	if err != nil {
		return nil, err
	}
	return answer(a, params), nil
}

// fetch reads the image where it is named by its URL.
func (h *Handler) fetch(ctx context.Context, src *Source) (err error) {
	if src.URL == "" {
		return nil
	}
	if h.config.Fetcher == nil {
		return &trilobite.Error{Op: "native.fetch", Code: trilobite.Forbidden, Msg: "This server fetches no URLs: send the image's bytes."}
	}
	src.Image, err = h.config.Fetcher.Fetch(ctx, src.URL, h.config.ImageBytes)
	return err
}
