package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"connectrpc.com/connect"

	"trilobite"
)

// code maps what went wrong to gRPC's codes. It is the only such table of this API.
func code(err error) connect.Code {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return connect.CodeDeadlineExceeded
	}
	switch trilobite.CodeOf(err) {
	case trilobite.Invalid, trilobite.InvalidImage, trilobite.ImageTooLarge:
		return connect.CodeInvalidArgument
	case trilobite.NotFound:
		return connect.CodeNotFound
	case trilobite.Exists:
		return connect.CodeAlreadyExists
	case trilobite.InUse:
		return connect.CodeFailedPrecondition
	case trilobite.NotReady, trilobite.Unreachable:
		return connect.CodeUnavailable
	case trilobite.Unauthorized:
		return connect.CodeUnauthenticated
	case trilobite.Forbidden:
		return connect.CodePermissionDenied
	case trilobite.Throttled, trilobite.LimitExceeded:
		return connect.CodeResourceExhausted
	case trilobite.Unsupported:
		return connect.CodeUnimplemented
	case trilobite.Canceled:
		return connect.CodeCanceled
	case trilobite.Internal:
	}
	if errors.Is(err, context.Canceled) {
		return connect.CodeCanceled
	}
	return connect.CodeInternal
}

// statuses are the HTTP statuses of the codes over REST.
var statuses = map[connect.Code]int{
	connect.CodeInvalidArgument: http.StatusBadRequest, connect.CodeNotFound: http.StatusNotFound,
	connect.CodeAlreadyExists: http.StatusConflict, connect.CodeFailedPrecondition: http.StatusConflict,
	connect.CodeUnavailable: http.StatusServiceUnavailable, connect.CodeUnauthenticated: http.StatusUnauthorized,
	connect.CodePermissionDenied: http.StatusForbidden, connect.CodeResourceExhausted: http.StatusTooManyRequests,
	connect.CodeUnimplemented: http.StatusNotImplemented, connect.CodeDeadlineExceeded: http.StatusGatewayTimeout,
	connect.CodeCanceled: 499, // client closed request; not in net/http
}

func status(err error) int {
	if errors.Is(err, os.ErrDeadlineExceeded) { // of the request's own body
		return http.StatusRequestTimeout
	}
	if trilobite.CodeOf(err) == trilobite.ImageTooLarge {
		return http.StatusRequestEntityTooLarge
	}
	if s, ok := statuses[code(err)]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// WriteError writes err in the form that the client of r reads: the protocol's JSON, or
// gRPC's trailers. Middleware in front of the Handler uses it too.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if rpc := connect.NewErrorWriter(connect.WithRequireConnectProtocolHeader()); rpc.IsSupported(r) {
		_ = rpc.Write(w, r, rpcError(err)) // a failed write means that the client has gone
		return
	}
	s := status(err)
	if trilobite.CodeOf(err) == trilobite.Throttled {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, s, map[string]string{"error": trilobite.Message(err)})
}

// fail is WriteError for the Handler's own errors: what it hides goes to the log.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	WriteError(w, r, h.noted(r.Context(), err))
}

// noted logs a fault of ours, and says where the time ran out.
func (h *Handler) noted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &trilobite.Error{Op: "inference", Code: trilobite.Canceled, Msg: "The time for this request ran out.", Err: ctx.Err()}
	}
	if code(err) == connect.CodeInternal {
		h.config.Log.ErrorContext(ctx, "answering", "error", err)
	}
	return err
}

// rpcError is err as the gRPC library sends it.
func rpcError(err error) *connect.Error {
	return connect.NewError(code(err), errors.New(trilobite.Message(err)))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, _ := json.Marshal(v)
	writeBody(w, status, body)
}

// writeBody writes JSON.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // G705: JSON, never HTML; a failed write means that the client has gone
}

func invalid(format string, args ...any) error {
	return &trilobite.Error{Op: "inference", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &trilobite.Error{Op: "inference", Code: trilobite.Unsupported, Msg: fmt.Sprintf(format, args...)}
}
