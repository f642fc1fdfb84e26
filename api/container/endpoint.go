package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"

	"trilobite"
	"trilobite/auth"
)

// Auth says who signed a request; *auth.Authenticator is one.
type Auth interface {
	SigV4(r *http.Request, service string, body func() ([]byte, error)) (auth.Identity, error)
}

// Endpoint serves SageMaker's InvokeEndpoint, POST /endpoints/NAME/invocations: each model
// of the store is an endpoint of its name, each version a production variant.
//
// Source: botocore, sagemaker-runtime, 2017-05-13.
type Endpoint struct {
	APIs

	Auth Auth
}

// allTraffic is the variant that SageMaker's console makes; it stands for the newest version.
const allTraffic = "AllTraffic"

// ServeHTTP answers a request below /endpoints/.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := sync.OnceValues(func() ([]byte, error) { return read(w, r) })
	who, err := e.Auth.SigV4(r, "sagemaker", body)
	if err != nil {
		WriteEndpointError(w, r, err)
		return
	}
	name, call, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/endpoints/"), "/")
	if call != "invocations" || r.Method != http.MethodPost || name == "" {
		exception(w, http.StatusNotFound, "UnknownOperationException", fmt.Sprintf("%.10s /endpoints/…/%.50q is not offered: InvokeEndpoint is.", r.Method, call), nil)
		return
	}
	data, err := body()
	if err != nil {
		WriteEndpointError(w, r, err)
		return
	}
	model, variant := name, r.Header.Get("X-Amzn-Sagemaker-Target-Variant")
	if variant == "" {
		variant = allTraffic
	}
	if variant != allTraffic {
		model += "@" + variant
	}
	out := e.invoke(r.WithContext(auth.WithIdentity(r.Context(), who)), model, data)
	if out.status != http.StatusOK {
		out.fail(w, name, who.Account)
		return
	}
	w.Header().Set("X-Amzn-Invoked-Production-Variant", variant)
	if own := r.Header.Get(attributes); own != "" {
		w.Header().Set(attributes, own)
	}
	out.send(w)
}

// fail says what SageMaker says of a container's error.
func (a *answer) fail(w http.ResponseWriter, endpoint, account string) {
	var said struct{ Detail, Error string }
	_ = json.Unmarshal(a.body.Bytes(), &said) // both are empty where it is another form
	text := said.Detail + said.Error
	switch a.status {
	case http.StatusNotFound:
		exception(w, http.StatusBadRequest, "ValidationError", fmt.Sprintf("Endpoint %.63s of account %s not found.", endpoint, account), nil)
	case http.StatusTooManyRequests:
		exception(w, http.StatusServiceUnavailable, "ServiceUnavailable", text, nil)
	case http.StatusServiceUnavailable:
		exception(w, http.StatusTooManyRequests, "ModelNotReadyException", text, nil)
	default:
		who := "client"
		if a.status >= http.StatusInternalServerError {
			who = "server"
		}
		exception(w, http.StatusFailedDependency, "ModelError", fmt.Sprintf("Received %s error (%d) from primary with message %q.", who, a.status, text),
			map[string]any{"OriginalStatusCode": a.status, "OriginalMessage": text})
	}
}

// WriteEndpointError writes what is refused before a model is asked as SageMaker does.
func WriteEndpointError(w http.ResponseWriter, _ *http.Request, err error) {
	if reason, ok := errors.AsType[auth.Reason](err); ok {
		exception(w, http.StatusForbidden, reason.Exception(), trilobite.Message(err), nil)
		return
	}
	switch trilobite.CodeOf(err) {
	case trilobite.Invalid, trilobite.ImageTooLarge, trilobite.Canceled, trilobite.NotFound:
		exception(w, http.StatusBadRequest, "ValidationError", trilobite.Message(err), nil)
	case trilobite.Forbidden:
		exception(w, http.StatusForbidden, "AccessDeniedException", trilobite.Message(err), nil)
	case trilobite.Throttled:
		exception(w, http.StatusTooManyRequests, "ThrottlingException", trilobite.Message(err), nil)
	default:
		exception(w, http.StatusInternalServerError, "InternalFailure", trilobite.Message(err), nil)
	}
}

// exception writes an error of the service model.
func exception(w http.ResponseWriter, status int, name, msg string, more map[string]any) {
	body := map[string]any{"Message": msg}
	maps.Copy(body, more)
	data, _ := json.Marshal(body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", name)
	w.WriteHeader(status)
	_, _ = w.Write(data) // a failed write means that the client has gone
}
