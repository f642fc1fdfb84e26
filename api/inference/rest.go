package inference

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"trilobite"
	"trilobite/serving"
)

// restRoutes has every path of the API over REST but the server's health, which package
// server answers without keys.
func (h *Handler) restRoutes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := f(w, r); err != nil {
				h.fail(w, r, err)
			}
		})
	}
	handle("GET /v2", h.serverMetadata)
	handle("GET /v2/{$}", h.serverMetadata)
	for _, model := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		handle("GET "+model, h.modelMetadata)
		handle("GET "+model+"/ready", h.modelReady)
		handle("GET "+model+"/config", h.modelConfig)
		handle("POST "+model+"/infer", h.infer)
	}
	handle("POST /v2/repository/index", h.index)
	handle("POST /v2/repository/models/{model}/load", h.load)
	handle("POST /v2/repository/models/{model}/unload", h.unload)
	handle("/", func(_ http.ResponseWriter, r *http.Request) error {
		return &trilobite.Error{Op: "inference", Code: trilobite.NotFound, Msg: r.Method + " " + strings.ToValidUTF8(cut(r.URL.Path), "\uFFFD") + " is not offered."}
	})
	return mux
}

func cut(s string) string { return s[:min(len(s), 200)] }

func refOf(r *http.Request) string { return ref(r.PathValue("model"), r.PathValue("version")) }

func (h *Handler) serverMetadata(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]any{"name": name, "version": h.config.Version, "extensions": extensions()})
	return nil
}

// modelReady answers 200 where a request for the model will be answered: one that is not
// in memory is loaded by it.
func (h *Handler) modelReady(w http.ResponseWriter, r *http.Request) error {
	ready, err := h.ready(refOf(r))
	if err != nil {
		return err
	}
	if !ready {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"name": r.PathValue("model"), "ready": false})
		return nil
	}
	writeJSON(w, http.StatusOK, map[string]any{"name": r.PathValue("model"), "ready": true})
	return nil
}

func (h *Handler) ready(ref string) (bool, error) {
	s, err := h.config.Models.Status(ref)
	return err == nil && s.Serves(), err
}

type tensorMetadata struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"`
	Shape    []int64 `json:"shape"`
}

func (h *Handler) modelMetadata(w http.ResponseWriter, r *http.Request) error {
	v, err := h.config.Models.Values(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	describe := func(values []serving.Value) []tensorMetadata {
		all := make([]tensorMetadata, len(values))
		for i, v := range values {
			all[i] = tensorMetadata{v.Name, datatype(v.DType), v.Shape}
		}
		return all
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"name": v.Model.Name, "versions": h.versions(v.Model.Name), "platform": platform,
		"inputs": describe(v.Inputs), "outputs": describe(v.Outputs),
	})
	return nil
}

// versions returns the versions of a name that are in service.
func (h *Handler) versions(model string) []string {
	all := []string{}
	for _, v := range h.config.Models.Versions(model) {
		text := strconv.Itoa(v)
		if ready, err := h.ready(ref(model, text)); ready && err == nil {
			all = append(all, text)
		}
	}
	return all
}

type indexed struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
}

// index lists the models, those in service alone where the request says so.
func (h *Handler) index(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Ready bool `json:"ready"`
	}
	if err := small(w, r, &asked); err != nil {
		return err
	}
	all, err := h.repository(asked.Ready)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}

func (h *Handler) repository(readyOnly bool) ([]indexed, error) {
	list, err := h.config.Models.List()
	if err != nil {
		return nil, err
	}
	all := []indexed{}
	for _, s := range list {
		m := indexed{s.Name, strconv.Itoa(s.Version), "READY", ""}
		switch s.State {
		case serving.Ready:
		case serving.Idle:
			m.Reason = "loaded when it is asked"
		case serving.Loading:
			m.State = "LOADING"
		case serving.Unloaded:
			m.State, m.Reason = "UNAVAILABLE", "unloaded"
		}
		if m.State == "READY" || !readyOnly {
			all = append(all, m)
		}
	}
	return all, nil
}

func (h *Handler) load(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Parameters map[string]json.RawMessage `json:"parameters"`
	}
	if err := small(w, r, &asked); err != nil {
		return err
	}
	if len(asked.Parameters) > 0 {
		return unsupported("Loading takes no parameters here: a model is loaded as its card says.")
	}
	if err := h.config.Models.Load(r.Context(), r.PathValue("model")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (h *Handler) unload(w http.ResponseWriter, r *http.Request) error {
	if err := small(w, r, new(json.RawMessage)); err != nil {
		return err
	}
	if err := h.config.Models.Unload(r.Context(), r.PathValue("model")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// small reads a body of a few fields, which may be missing.
func small(w http.ResponseWriter, r *http.Request, to any) error {
	const most = 64 << 10
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		return bodyError(err)
	}
	if len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, to); err != nil {
		return invalid("The body is no JSON of the expected form.")
	}
	return nil
}

// bodyError sorts what may happen while a body arrives.
func bodyError(err error) error {
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return err // the server's own, of a body that came too slowly
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &trilobite.Error{Op: "inference", Code: trilobite.ImageTooLarge, Msg: "The request has more than " + strconv.FormatInt(e.Limit, 10) + " bytes."}
	}
	return &trilobite.Error{Op: "inference", Code: trilobite.Invalid, Msg: "The body is cut short or broken.", Err: err}
}
