package google

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/code"

	"trilobite"
	"trilobite/auth"
)

// Code maps what went wrong to google.rpc.Code. It is the only such table of Google's
// APIs here.
func Code(err error) code.Code {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return code.Code_DEADLINE_EXCEEDED
	}
	switch trilobite.CodeOf(err) {
	case trilobite.Invalid, trilobite.InvalidImage, trilobite.ImageTooLarge:
		return code.Code_INVALID_ARGUMENT
	case trilobite.NotFound:
		return code.Code_NOT_FOUND
	case trilobite.Exists:
		return code.Code_ALREADY_EXISTS
	case trilobite.InUse, trilobite.NotReady:
		return code.Code_FAILED_PRECONDITION
	case trilobite.Unauthorized:
		return refused(err)
	case trilobite.Forbidden:
		return code.Code_PERMISSION_DENIED
	case trilobite.Throttled, trilobite.LimitExceeded:
		return code.Code_RESOURCE_EXHAUSTED
	case trilobite.Unsupported:
		return code.Code_UNIMPLEMENTED
	case trilobite.Unreachable:
		return code.Code_UNAVAILABLE
	case trilobite.Canceled:
		return code.Code_CANCELLED
	case trilobite.Internal:
	}
	if errors.Is(err, context.Canceled) {
		return code.Code_CANCELLED
	}
	return code.Code_INTERNAL
}

// refused tells the ways of not being let in apart as Google does. A 401 makes Google's
// REST clients refresh their credentials, which ones without any fail at in a way that
// hides the answer.
func refused(err error) code.Code {
	switch {
	case errors.Is(err, auth.MissingToken):
		return code.Code_PERMISSION_DENIED
	case errors.Is(err, auth.InvalidAPIKey):
		return code.Code_INVALID_ARGUMENT
	}
	return code.Code_UNAUTHENTICATED
}

// httpStatus maps google.rpc.Code to HTTP as the comments of google/rpc/code.proto
// do.
func httpStatus(c code.Code) int {
	switch c {
	case code.Code_OK:
		return http.StatusOK
	case code.Code_CANCELLED:
		return 499 // client closed request; not in net/http
	case code.Code_INVALID_ARGUMENT, code.Code_FAILED_PRECONDITION, code.Code_OUT_OF_RANGE:
		return http.StatusBadRequest
	case code.Code_DEADLINE_EXCEEDED:
		return http.StatusGatewayTimeout
	case code.Code_NOT_FOUND:
		return http.StatusNotFound
	case code.Code_ALREADY_EXISTS, code.Code_ABORTED:
		return http.StatusConflict
	case code.Code_PERMISSION_DENIED:
		return http.StatusForbidden
	case code.Code_UNAUTHENTICATED:
		return http.StatusUnauthorized
	case code.Code_RESOURCE_EXHAUSTED:
		return http.StatusTooManyRequests
	case code.Code_UNIMPLEMENTED:
		return http.StatusNotImplemented
	case code.Code_UNAVAILABLE:
		return http.StatusServiceUnavailable
	case code.Code_UNKNOWN, code.Code_INTERNAL, code.Code_DATA_LOSS:
	}
	return http.StatusInternalServerError
}

// Message is what the client may read of err: cancellations have no *trilobite.Error of
// their own where a model was interrupted.
func Message(err error) string {
	if trilobite.CodeOf(err) == trilobite.Internal {
		switch Code(err) {
		case code.Code_DEADLINE_EXCEEDED:
			return "Deadline exceeded."
		case code.Code_CANCELLED:
			return "The operation was cancelled."
		default:
		}
	}
	return trilobite.Message(err)
}

// WriteError writes err as the answer to r in the form its client reads: trailers
// for gRPC, Google's JSON for REST. Middleware in front of a handler uses it too.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if rpc := connect.NewErrorWriter(connect.WithRequireConnectProtocolHeader()); rpc.IsSupported(r) {
		// A failed write means that the client has gone.
		_ = rpc.Write(w, r, ConnectError(err))
		return
	}
	c := Code(err)
	answered := httpStatus(c)
	if errors.Is(err, os.ErrDeadlineExceeded) { // of the request's own body
		answered = http.StatusRequestTimeout
	}
	type problem struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
	}
	body, _ := json.MarshalIndent(map[string]problem{"error": {answered, Message(err), c.String()}}, "", "  ")
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(answered)
	_, _ = w.Write(append(body, '\n'))
}

// ConnectError is err as the gRPC library sends it.
func ConnectError(err error) *connect.Error {
	return connect.NewError(connect.Code(Code(err)), errors.New(Message(err)))
}
