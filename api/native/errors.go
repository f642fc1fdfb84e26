package native

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"github.com/danielgtaylor/huma/v2"

	"trilobite"
)

// statusClosed is nginx's status for a client that went away; net/http has none.
const statusClosed = 499

// status is the table from codes to HTTP of this API.
func status(err error) int {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded): // of the request's own body
		return http.StatusRequestTimeout
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	switch trilobite.CodeOf(err) {
	case trilobite.Invalid:
		return http.StatusBadRequest
	case trilobite.InvalidImage:
		return http.StatusUnprocessableEntity
	case trilobite.ImageTooLarge:
		return http.StatusRequestEntityTooLarge
	case trilobite.NotFound:
		return http.StatusNotFound
	case trilobite.Exists, trilobite.InUse:
		return http.StatusConflict
	case trilobite.NotReady:
		return http.StatusServiceUnavailable
	case trilobite.Unauthorized:
		return http.StatusUnauthorized
	case trilobite.Forbidden:
		return http.StatusForbidden
	case trilobite.Throttled, trilobite.LimitExceeded:
		return http.StatusTooManyRequests
	case trilobite.Unsupported:
		return http.StatusNotImplemented
	case trilobite.Unreachable:
		return http.StatusBadGateway
	case trilobite.Canceled:
		return statusClosed
	case trilobite.Internal:
	}
	return http.StatusInternalServerError
}

// problem is err as problem details (RFC 9457), whose type names the code. What they
// hide of a fault of ours goes to the log.
func (h *Handler) problem(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = &trilobite.Error{Op: "native", Code: trilobite.Canceled, Msg: "The time for this request ran out.", Err: ctx.Err()}
	}
	m := problemOf(err)
	if m.Status == http.StatusInternalServerError {
		h.config.Log.ErrorContext(ctx, "answering", "error", err)
	}
	if trilobite.CodeOf(err) == trilobite.Throttled {
		return huma.ErrorWithHeaders(m, http.Header{"Retry-After": {"1"}})
	}
	return m
}

func problemOf(err error) *huma.ErrorModel {
	s := status(err)
	title := http.StatusText(s)
	if s == statusClosed {
		title = "Client Closed Request"
	}
	return &huma.ErrorModel{
		Type: "urn:trilobite:error:" + string(trilobite.CodeOf(err)), Title: title, Status: s, Detail: trilobite.Message(err),
	}
}

// WriteError writes err as this API does, for middleware in front of the Handler.
func WriteError(w http.ResponseWriter, _ *http.Request, err error) {
	m := problemOf(err)
	body, _ := json.Marshal(m)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if trilobite.CodeOf(err) == trilobite.Throttled {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(m.Status)
	_, _ = w.Write(append(body, '\n')) // a failed write means that the client has gone
}

func invalid(msg string) error {
	return &trilobite.Error{Op: "native.read", Code: trilobite.Invalid, Msg: msg}
}
