package native

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"trilobite/serving"
)

// The outputs of a mask that a request may ask for, beside the areas.
const (
	mask       = "mask"
	overlay    = "overlay"
	confidence = "confidence"
	polygons   = "polygons"
	rle        = "rle"
)

// Prediction is an image and what to ask one model about it.
type Prediction struct {
	Source

	MinScore   *float32 `json:"min_score,omitempty" minimum:"0" maximum:"1" doc:"Leaves out what scores less; 0.5 for boxes, 0 for classes"`
	MaxResults int      `json:"max_results,omitempty" minimum:"0" doc:"Most boxes or classes to answer; 0 is 5 classes, and no limit for boxes"`
	Outputs    []string `json:"outputs,omitempty" nullable:"false" enum:"mask,overlay,confidence,polygons,rle" doc:"Of a mask, beside its areas; mask if left out"`
	Tolerance  *float64 `json:"tolerance,omitempty" minimum:"0" doc:"Pixels that polygons may be off, for fewer points; 1 if left out"`
}

// defaultClasses is how many classes are answered where nobody says.
const defaultClasses = 5

func (q *Prediction) set(name, text string) (err error) {
	switch name {
	case "min_score":
		q.MinScore, err = parseScore(text)
	case "max_results":
		q.MaxResults, err = strconv.Atoi(text)
	case "outputs":
		q.Outputs = append(q.Outputs, strings.Split(text, ",")...)
	case "tolerance":
		var v float64
		v, err = strconv.ParseFloat(text, 64)
		q.Tolerance = &v
	default:
		return errNoOption
	}
	return err
}

// check says what is wrong with the options.
func (q *Prediction) check() error {
	switch {
	case q.MinScore != nil && !(*q.MinScore >= 0 && *q.MinScore <= 1): // so written that NaN fails
		return invalid("min_score must be between 0 and 1.")
	case q.MaxResults < 0:
		return invalid("max_results must not be negative.")
	case q.Tolerance != nil && !(*q.Tolerance >= 0 && *q.Tolerance <= 1e6):
		return invalid("tolerance must be between 0 and 1000000 pixels.")
	}
	for _, o := range q.Outputs {
		if !slices.Contains([]string{mask, overlay, confidence, polygons, rle}, o) {
			return invalid(fmt.Sprintf("There is no output %.100q: choose among mask, overlay, confidence, polygons and rle.", o))
		}
	}
	return nil
}

type predictionInput struct {
	input

	Name string `path:"name" doc:"name, or name@version" example:"road@2"`
}

type predictionOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// prediction registers POST /models/{name}/task; the task "predict" is the model's own.
func (h *Handler) prediction(task, summary string) {
	path := "/models/{name}/" + task
	op := huma.Operation{
		OperationID: task + "WithModel", Method: http.MethodPost, Path: path, Summary: summary,
		Errors: []int{
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge,
			http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusNotImplemented,
			http.StatusBadGateway, http.StatusServiceUnavailable,
		},
	}
	huma.Register(h.api, op, func(ctx context.Context, in *predictionInput) (*predictionOutput, error) {
		out, err := h.predict(ctx, in, task)
		if err != nil {
			return nil, h.problem(ctx, err)
		}
		return out, nil
	})
	described := h.api.OpenAPI().Paths[path].Post
	described.RequestBody = h.requestBody(reflect.TypeFor[Prediction]())
	picture := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	answer := h.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Predicted](), true, "Predicted")
	described.Responses["200"].Content = map[string]*huma.MediaType{"application/json": {Schema: answer}}
	if task == "segment" || task == "predict" {
		described.Responses["200"].Content["image/png"] = &huma.MediaType{Schema: picture}
		described.Responses["200"].Content["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{
			Type:       huma.TypeObject,
			Properties: map[string]*huma.Schema{"answer": answer, mask: picture, overlay: picture, confidence: picture},
		}}
	}
}

func (h *Handler) predict(ctx context.Context, in *predictionInput, task string) (*predictionOutput, error) {
	form, err := accepted(in.request.Header.Values("Accept"))
	if err != nil {
		return nil, err
	}
	asked := &Prediction{}
	if err := h.read(in.writer, in.request, asked); err != nil {
		return nil, err
	}
	if err := asked.check(); err != nil {
		return nil, err
	}
	if err := h.fetch(ctx, &asked.Source); err != nil {
		return nil, err
	}
	p := serving.Params{
		MinScore: asked.MinScore, Most: asked.MaxResults, Overlay: slices.Contains(asked.Outputs, overlay),
		Classes: form == asPNG && !slices.Contains(asked.Outputs, confidence), // nobody reads how sure
	}
	if task != "predict" {
		p.Task = task
	}
	s, err := h.config.Models.Look(ctx, in.Name, asked.Image, p)
	if err != nil {
		return nil, err
	}
	answer, err := predicted(s, asked)
	if err != nil {
		return nil, err
	}
	return answer.as(form)
}

// The forms of an answer.
const (
	asJSON = "application/json"
	asPNG  = "image/png"
	asForm = "multipart/form-data"
)

// accepted chooses the form of an answer: the first of an Accept header that there is,
// JSON where it takes anything.
func accepted(headers []string) (string, error) {
	if len(headers) == 0 {
		return asJSON, nil
	}
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		kind, _, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		switch kind {
		case asJSON, "application/*", "*/*":
			return asJSON, nil
		case asPNG, "image/*":
			return asPNG, nil
		case asForm, "multipart/mixed", "multipart/*":
			return asForm, nil
		}
	}
	return "", invalid("Accept must name application/json, image/png or multipart/form-data.")
}

// as writes the answer: JSON with its pictures in base64, its one picture alone, or a form
// with the JSON and the pictures.
func (a *Predicted) as(form string) (*predictionOutput, error) {
	switch form {
	case asPNG:
		all := a.pictures()
		if len(all) != 1 {
			return nil, invalid(fmt.Sprintf("image/png is one picture and the answer has %d: ask a segmentation model for one of mask, overlay and confidence, or accept another form.", len(all)))
		}
		return &predictionOutput{asPNG, all[0].data}, nil
	case asForm:
		return a.form()
	}
	body, err := json.Marshal(a)
	return &predictionOutput{asJSON, append(body, '\n')}, err
}

func (a *Predicted) form() (*predictionOutput, error) {
	all := a.pictures()
	plain := *a
	plain.Mask, plain.Overlay, plain.Confidence = nil, nil, nil
	body, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	part := func(name, file, kind string, data []byte) {
		head := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name=%q`, name)
		if file != "" {
			disposition += fmt.Sprintf(`; filename=%q`, file)
		}
		head.Set("Content-Disposition", disposition)
		head.Set("Content-Type", kind)
		p, _ := w.CreatePart(head) // a buffer takes everything
		_, _ = p.Write(data)
	}
	part("answer", "", asJSON, body)
	for _, p := range all {
		part(p.name, p.name+".png", asPNG, p.data)
	}
	_ = w.Close()
	return &predictionOutput{w.FormDataContentType(), out.Bytes()}, nil
}
