package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/goccy/go-yaml"

	"trilobite/pipeline"
	"trilobite/serving"
)

// Pipelines are how images are prepared for the models; *serving.Registry is one.
type Pipelines interface {
	Pipeline(ref string, revision int) (serving.Prepared, error)
	SetPipeline(ctx context.Context, ref, source string, text []byte) (serving.Prepared, error)
	RollBack(ctx context.Context, ref string) (serving.Prepared, error)
}

// Pipeline says how images are prepared for a model.
type Pipeline struct {
	Model     string         `json:"model" example:"road@2"`
	Revision  int            `json:"revision" doc:"The one in use; 0 is what the model came with"`
	Pipeline  map[string]any `json:"pipeline" doc:"All of the preprocessing in use, in the words of docs/pipelines.md"`
	Text      string         `json:"text" doc:"The pipeline file of the revision asked for, or in use; empty for revision 0"`
	Revisions []Revision     `json:"revisions" nullable:"false" doc:"In the order they were set; 0 is left out"`
}

// Revision is a pipeline file that a model was given.
type Revision struct {
	Revision int       `json:"revision"`
	Before   int       `json:"before" doc:"The one that was in use when it came: to which a rollback goes"`
	Created  time.Time `json:"created"`
	Source   string    `json:"source" doc:"Name of the file"`
}

func (h *Handler) pipelineRoutes() {
	const path = "/models/{name}/pipeline"
	errs := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError}
	huma.Register(h.api, huma.Operation{
		OperationID: "getPipeline", Method: http.MethodGet, Path: path, Summary: "Show how images are prepared for a model", Errors: errs,
	}, h.getPipeline)
	errs = append(errs, http.StatusBadRequest)
	huma.Register(h.api, huma.Operation{
		OperationID: "setPipeline", Method: http.MethodPut, Path: path,
		Summary: "Prepare images for a model by another pipeline file, a new revision, from the next request on", Errors: errs,
	}, h.setPipeline)
	file := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "A pipeline file as docs/pipelines.md has it"}}
	h.api.OpenAPI().Paths[path].Put.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/yaml": file, "text/plain": file,
		"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, Description: "The same in JSON"}},
	}}
	huma.Register(h.api, huma.Operation{
		OperationID: "rollbackPipeline", Method: http.MethodPost, Path: path + "/rollback",
		Summary: "Use the pipeline again that was before the one in use", Errors: errs,
	}, h.rollBack)
}

type pipelineOutput struct{ Body Pipeline }

type pipelineAsked struct {
	Name     string `path:"name" doc:"name, or name@version" example:"road@2"`
	Revision int    `query:"revision" default:"-1" minimum:"-1" doc:"Whose text to answer; that in use if left out"`
}

func (h *Handler) getPipeline(ctx context.Context, in *pipelineAsked) (*pipelineOutput, error) {
	p, err := h.config.Pipelines.Pipeline(in.Name, in.Revision)
	return h.pipeline(ctx, p, err)
}

type pipelineFile struct {
	input

	Name   string `path:"name" doc:"name, or name@version" example:"road@2"`
	Source string `query:"source" default:"request" maxLength:"100" doc:"Name of the file, for errors and the list of revisions"`
}

func (h *Handler) setPipeline(ctx context.Context, in *pipelineFile) (*pipelineOutput, error) {
	text, err := io.ReadAll(http.MaxBytesReader(in.writer, in.request.Body, pipeline.MaxFile))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, h.problem(ctx, invalid(fmt.Sprintf("A pipeline file has at most %d bytes.", pipeline.MaxFile)))
	} else if err != nil {
		return nil, h.problem(ctx, h.bodyError(err, "The pipeline file is cut short."))
	}
	p, err := h.config.Pipelines.SetPipeline(ctx, in.Name, in.Source, text)
	return h.pipeline(ctx, p, err)
}

func (h *Handler) rollBack(ctx context.Context, in *named) (*pipelineOutput, error) {
	p, err := h.config.Pipelines.RollBack(ctx, in.Name)
	return h.pipeline(ctx, p, err)
}

// pipeline is the answer of all three.
func (h *Handler) pipeline(ctx context.Context, p serving.Prepared, err error) (*pipelineOutput, error) {
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	out := &pipelineOutput{Pipeline{Model: p.Ref(), Revision: p.Revision, Text: string(p.Text), Revisions: []Revision{}}}
	spec, err := yaml.Marshal(p.Pipeline)
	if err == nil {
		err = yaml.Unmarshal(spec, &out.Body.Pipeline)
	}
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	for _, r := range p.Revisions.All {
		out.Body.Revisions = append(out.Body.Revisions, Revision{r.N, r.Before, r.Created, r.Source})
	}
	return out, nil
}
