package rekognition

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"

	"trilobite"
	"trilobite/api/rekognition/codec"
	"trilobite/auth"
	"trilobite/custom"
)

// exception is how an error looks on the wire. An empty text stands for the error's own.
type exception struct {
	name   string
	status int
	text   string
}

// exceptions is the one table from codes to answers. Names, statuses and texts are those
// of the service's error handling page; where it has a fixed text, clients compare it.
func exceptions(code trilobite.Code) exception {
	switch code {
	case trilobite.Invalid:
		return exception{"InvalidParameterException", http.StatusBadRequest, ""}
	case trilobite.InvalidImage:
		return exception{"InvalidImageFormatException", http.StatusBadRequest, "Request has invalid image format"}
	case trilobite.ImageTooLarge:
		return exception{"ImageTooLargeException", http.StatusBadRequest, ""}
	case trilobite.NotFound:
		return exception{"ResourceNotFoundException", http.StatusBadRequest, ""}
	case trilobite.Exists:
		return exception{"ResourceAlreadyExistsException", http.StatusBadRequest, ""}
	case trilobite.InUse:
		return exception{"ResourceInUseException", http.StatusBadRequest, ""}
	case trilobite.NotReady:
		return exception{"ResourceNotReadyException", http.StatusBadRequest, ""}
	case trilobite.Unauthorized:
		return exception{"UnrecognizedClientException", http.StatusBadRequest, ""}
	case trilobite.Forbidden:
		return exception{"AccessDeniedException", http.StatusBadRequest, ""}
	case trilobite.LimitExceeded:
		return exception{"LimitExceededException", http.StatusBadRequest, ""}
	case trilobite.Throttled:
		return exception{"ThrottlingException", http.StatusBadRequest, ""}
	case trilobite.Unsupported:
		return exception{"InvalidParameterException", http.StatusBadRequest, ""}
	case trilobite.Unreachable:
		return exception{
			"InvalidS3ObjectException", http.StatusBadRequest,
			"Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		}
	case trilobite.Canceled:
		return exception{"ThrottlingException", http.StatusInternalServerError, "Service Unavailable"}
	case trilobite.Internal:
	}
	return exception{"InternalServerError", http.StatusInternalServerError, "Internal server error"}
}

// unknownOperationError is a target that is not offered.
type unknownOperationError struct{ msg string }

// Error returns the message.
func (e *unknownOperationError) Error() string { return e.msg }

// namedError is an exception that no trilobite.Code stands for.
type namedError struct{ name, msg string }

// Error returns the message.
func (e *namedError) Error() string { return e.msg }

var (
	errMethod       = errors.New("method is not POST")
	errBodyTooLarge = errors.New("body over the limit")
	errBodyCut      = errors.New("body cut short or its encoding broken")
)

// describe returns the answer to err: what AWS's front end answers by itself, before the
// service is asked, or else what the table says. Exceptions of the front end are seen in
// clients' logs with status 400 for this protocol.
func describe(err error) exception {
	if e, ok := errors.AsType[*codec.SyntaxError](err); ok {
		return exception{"SerializationException", http.StatusBadRequest, e.Msg}
	}
	if e, ok := errors.AsType[*validationError](err); ok {
		return exception{"ValidationException", http.StatusBadRequest, e.Error()}
	}
	if e, ok := errors.AsType[*unknownOperationError](err); ok {
		return exception{"UnknownOperationException", http.StatusBadRequest, e.msg}
	}
	if e, ok := errors.AsType[*namedError](err); ok {
		return exception{e.name, http.StatusBadRequest, e.msg}
	}
	switch {
	case errors.Is(err, errMethod):
		return exception{"UnknownOperationException", http.StatusMethodNotAllowed, "Rekognition is called by POST."}
	case errors.Is(err, errBodyTooLarge):
		return exception{"RequestEntityTooLargeException", http.StatusRequestEntityTooLarge, "The request body is larger than 10 MiB."}
	case errors.Is(err, errBodyCut):
		return exception{"SerializationException", http.StatusBadRequest, "The request body is cut short or its encoding is broken."}
	case trilobite.CodeOf(err) == trilobite.Canceled && errors.Is(err, os.ErrDeadlineExceeded): // of the request's own body; the SDKs retry it by this name
		return exception{"RequestTimeoutException", http.StatusRequestTimeout, trilobite.Message(err)}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exceptions(trilobite.Canceled)
	}
	x := exceptions(trilobite.CodeOf(err))
	if r, ok := errors.AsType[auth.Reason](err); ok {
		x.name = r.Exception()
	}
	if r, ok := errors.AsType[custom.Reason](err); ok {
		x.name = string(r)
	}
	if x.text == "" {
		x.text = trilobite.Message(err)
	}
	return x
}

// fail writes err as the service does. Logref is the request's id, as in our log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, id string, err error) {
	x := describe(err)
	if x.status >= http.StatusInternalServerError {
		s.Log.LogAttrs(r.Context(), slog.LevelError, "rekognition",
			slog.String("request", id), slog.String("target", r.Header.Get("X-Amz-Target")), slog.Any("error", err))
	}
	if x.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	body, merr := json.Marshal(struct {
		Type    string `json:"__type"` // AWS's name
		Code    string `json:"Code"`
		Logref  string `json:"Logref"`
		Message string `json:"Message"`
	}{x.name, x.name, id, x.text})
	if merr != nil {
		body = []byte(`{"__type":"InternalServerError"}`)
	}
	w.Header().Set("X-Amzn-Errortype", x.name)
	w.WriteHeader(x.status)
	_, _ = w.Write(body) // a client that left needs no answer
}
