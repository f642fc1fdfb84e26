package native

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"trilobite/serving"
)

// Models are the models of the store; *serving.Registry is one.
type Models interface {
	List() ([]serving.Status, error)
	Status(ref string) (serving.Status, error)
	Values(ctx context.Context, ref string) (serving.Values, error)
	Look(ctx context.Context, ref string, image []byte, p serving.Params) (*serving.Seen, error)
	Load(ctx context.Context, ref string) error
	Unload(ctx context.Context, ref string) error
}

// Model is an installed model.
type Model struct {
	Name    string   `json:"name" doc:"Name, as in models of a request" example:"coco-ssd"`
	Version string   `json:"version"`
	Title   string   `json:"title,omitempty"`
	Task    string   `json:"task" enum:"detect,classify,segment" example:"detect"`
	State   string   `json:"state" enum:"ready,loading,idle,unloaded" doc:"ready: in memory; idle: the next request loads it; unloaded: out of service until it is loaded"`
	Memory  int64    `json:"memory" doc:"Bytes that it takes there, estimated; 0 where it is not"`
	Pinned  bool     `json:"pinned" doc:"It answers /detect, /label and the vendors' APIs, and stays in memory"`
	Labels  []string `json:"labels" nullable:"false" doc:"What it can see, in its own words"`
	License string   `json:"license,omitempty" example:"Apache-2.0"`
	Source  string   `json:"source,omitempty" doc:"Where its weights come from"`
}

// Described is a model with what goes in and comes out of its ONNX file.
type Described struct {
	Model

	Inputs  []Tensor `json:"inputs" nullable:"false"`
	Outputs []Tensor `json:"outputs" nullable:"false"`
	Figures []Figure `json:"figures" nullable:"false" doc:"What it was measured at"`
}

// Tensor is an input or output by its name in the ONNX file.
type Tensor struct {
	Name  string  `json:"name"`
	Type  string  `json:"type" example:"float32"`
	Shape []int64 `json:"shape" nullable:"false" doc:"-1 is any size"`
}

// Figure is a measured result.
type Figure struct {
	Data    string  `json:"data"`
	Measure string  `json:"measure"`
	Value   float64 `json:"value"`
}

func (h *Handler) modelRoutes() {
	errs := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusInternalServerError}
	huma.Register(h.api, huma.Operation{
		OperationID: "listModels", Method: http.MethodGet, Path: "/models", Summary: "List the installed models",
		Errors: []int{http.StatusUnauthorized, http.StatusInternalServerError},
	}, h.list)
	huma.Register(h.api, huma.Operation{
		OperationID: "describeModel", Method: http.MethodGet, Path: "/models/{name}", Summary: "Describe a model, its inputs and outputs", Errors: errs,
	}, h.describe)
	errs = append(errs, http.StatusConflict)
	huma.Register(h.api, huma.Operation{
		OperationID: "loadModel", Method: http.MethodPost, Path: "/models/{name}/load",
		Summary: "Put a model into service and into memory", Errors: errs,
	}, h.load)
	huma.Register(h.api, huma.Operation{
		OperationID: "unloadModel", Method: http.MethodPost, Path: "/models/{name}/unload",
		Summary: "Take a model out of service and free its memory; a name alone is all versions", Errors: errs,
	}, h.unload)
	for task, summary := range map[string]string{
		"classify": "Name the whole image", "detect": "Find objects and their boxes", "segment": "Say what each pixel shows",
		"predict": "Ask what the model is for",
	} {
		h.prediction(task, summary)
	}
}

type named struct {
	Name string `path:"name" doc:"name, or name@version" example:"road@2"`
}

type modelsOutput struct {
	Body struct {
		Models []Model `json:"models" nullable:"false"`
	}
}

func (h *Handler) list(ctx context.Context, _ *struct{}) (*modelsOutput, error) {
	out := &modelsOutput{}
	out.Body.Models = []Model{}
	all, err := h.config.Models.List()
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	for _, s := range all {
		m, err := modelOf(s)
		if err != nil {
			return nil, h.problem(ctx, err)
		}
		out.Body.Models = append(out.Body.Models, m)
	}
	return out, nil
}

type modelOutput struct{ Body Model }

type describedOutput struct{ Body Described }

func (h *Handler) describe(ctx context.Context, in *named) (*describedOutput, error) {
	s, err := h.config.Models.Status(in.Name)
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	m, err := modelOf(s)
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	out := &describedOutput{Described{Model: m, Inputs: []Tensor{}, Outputs: []Tensor{}, Figures: []Figure{}}}
	for _, f := range s.Figures {
		out.Body.Figures = append(out.Body.Figures, Figure{f.Data, f.Measure, f.Value})
	}
	if !s.Serves() {
		return out, nil // only a loaded model tells
	}
	v, err := h.config.Models.Values(ctx, s.Ref())
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	out.Body.Inputs, out.Body.Outputs = each(v.Inputs, tensorOf), each(v.Outputs, tensorOf)
	return out, nil
}

func tensorOf(v serving.Value) Tensor { return Tensor{v.Name, v.DType.String(), v.Shape} }

func (h *Handler) load(ctx context.Context, in *named) (*modelOutput, error) {
	if err := h.config.Models.Load(ctx, in.Name); err != nil {
		return nil, h.problem(ctx, err)
	}
	return h.model(ctx, in.Name)
}

func (h *Handler) unload(ctx context.Context, in *named) (*modelOutput, error) {
	if err := h.config.Models.Unload(ctx, in.Name); err != nil {
		return nil, h.problem(ctx, err)
	}
	return h.model(ctx, in.Name)
}

func (h *Handler) model(ctx context.Context, ref string) (*modelOutput, error) {
	s, err := h.config.Models.Status(ref)
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	m, err := modelOf(s)
	if err != nil {
		return nil, h.problem(ctx, err)
	}
	return &modelOutput{m}, nil
}

func modelOf(s serving.Status) (Model, error) {
	labels, err := s.ReadLabels()
	if err != nil {
		return Model{}, err
	}
	return Model{
		Name: s.Name, Version: strconv.Itoa(s.Version), Title: s.Title, Task: s.Task,
		State: string(s.State), Memory: s.Bytes, Pinned: s.Pinned,
		Labels:  slices.DeleteFunc(labels.Names(), func(n string) bool { return n == "" }),
		License: s.Licence, Source: cmp.Or(s.Source.Package, s.Source.File),
	}, nil
}
