// Package container answers as the clouds' model hosting does: the contracts of serving
// containers for SageMaker (/ping, /invocations) and for Vertex AI (the routes that AIP_…
// variables name), and SageMaker's own runtime call, InvokeEndpoint.
//
// What is inside such a call is one of this server's own forms, so it is handed to that
// API in this process: an image or the native API's JSON to the native API, "inputs" to
// the Open Inference Protocol; "instances", Vertex AI's form, is one question each
// (instances.go). Start at Contract and Endpoint.
package container

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"trilobite"
)

// maxBody bounds a request in bytes: an image of 20 MiB in base64, and room for the rest.
const maxBody = 28 << 20

// APIs are this server's own, which answer in this process.
type APIs struct {
	Native    http.Handler // /api/v1/models/NAME/predict
	Inference http.Handler // /v2/models/NAME/infer
}

// Contract serves one model as a container does.
type Contract struct {
	APIs

	Model string // name or name@version
}

// Ping tells that the model is ready: the server listens only then.
func (c *Contract) Ping(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}\n") // a failed write means that the client has gone
}

// Invocations answers POST /invocations, and Vertex AI's prediction route.
func (c *Contract) Invocations(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		WriteError(w, r, &trilobite.Error{Op: "container", Code: trilobite.Invalid, Msg: "Send a POST request."})
		return
	}
	body, err := read(w, r)
	if err != nil {
		WriteError(w, r, err)
		return
	}
	c.invoke(r, c.Model, body).send(w)
}

// read reads a request's body.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		return data, nil
	}
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return nil, err // the server's own, of a body that came too slowly
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &trilobite.Error{Op: "container", Code: trilobite.ImageTooLarge, Msg: "The request has more than 28 MiB."}
	}
	return nil, &trilobite.Error{Op: "container", Code: trilobite.Invalid, Msg: "The body is cut short.", Err: err}
}

// tritonType is the type that SageMaker's Triton containers take for binary tensor data.
const tritonType = "application/vnd.sagemaker-triton.binary+json"

// invoke asks a model what the body of r asks.
func (a APIs) invoke(r *http.Request, model string, body []byte) *answer {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	if kind == tritonType {
		return a.infer(r, model, body, params["json-header-size"])
	}
	if kind == "application/json" {
		var form struct{ Inputs, Instances, Parameters json.RawMessage }
		if json.Unmarshal(body, &form) == nil {
			switch {
			case form.Inputs != nil:
				return a.infer(r, model, body, "")
			case form.Instances != nil:
				return a.instances(r, model, form.Instances, form.Parameters)
			}
		}
	}
	return a.predict(r, model, r.Header.Get("Content-Type"), body)
}

// infer asks over the Open Inference Protocol; size is that of the JSON before binary
// data, "" for none.
func (a APIs) infer(r *http.Request, model string, body []byte, size string) *answer {
	name, version, _ := strings.Cut(model, "@")
	path := "/v2/models/" + url.PathEscape(name)
	if version != "" {
		path += "/versions/" + url.PathEscape(version)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if size != "" {
		header.Set("Inference-Header-Content-Length", size)
	}
	out := ask(a.Inference, r, path+"/infer", "", header, body)
	if n := out.header.Get("Inference-Header-Content-Length"); n != "" {
		out.header.Set("Content-Type", tritonType+";json-header-size="+n)
	}
	return out
}

// attributes is the header in which SageMaker hands a client's own words to a container:
// here the options of the native API, written as a query, such as "outputs=overlay".
const attributes = "X-Amzn-Sagemaker-Custom-Attributes"

// predict asks the native API.
func (a APIs) predict(r *http.Request, model, kind string, body []byte) *answer {
	header := http.Header{"Content-Type": {kind}}
	if accept := r.Header.Values("Accept"); len(accept) > 0 {
		header["Accept"] = accept
	}
	query := r.URL.RawQuery
	if own := r.Header.Get(attributes); strings.Contains(own, "=") {
		query = own
	}
	if kind == "application/json" {
		query = ""
	}
	return ask(a.Native, r, "/api/v1/models/"+url.PathEscape(model)+"/predict", query, header, body)
}

// WriteError writes err in plain JSON, as the status of its code.
func WriteError(w http.ResponseWriter, _ *http.Request, err error) {
	body, _ := json.Marshal(map[string]string{"error": trilobite.Message(err)})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status(err))
	_, _ = w.Write(append(body, '\n')) // a failed write means that the client has gone
}

// status is the table from codes to HTTP of what this package itself refuses.
func status(err error) int {
	switch trilobite.CodeOf(err) {
	case trilobite.Invalid:
		return http.StatusBadRequest
	case trilobite.ImageTooLarge:
		return http.StatusRequestEntityTooLarge
	case trilobite.Throttled:
		return http.StatusTooManyRequests
	case trilobite.Canceled:
		return http.StatusRequestTimeout
	default:
		return http.StatusInternalServerError
	}
}
