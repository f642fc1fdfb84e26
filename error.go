package trilobite

import "errors"

// Code says what a caller can do about an error. Each API maps codes to its own
// statuses in one table.
type Code string

// The codes.
const (
	Internal      Code = "internal"        // a bug or a broken machine; its text is not shown to clients
	Invalid       Code = "invalid"         // the request breaks a rule; correct it
	InvalidImage  Code = "invalid_image"   // the bytes are no image of a supported format
	ImageTooLarge Code = "image_too_large" // bytes, pixels or sides over a limit
	NotFound      Code = "not_found"       // no such thing, or not yours
	Exists        Code = "exists"          // the name is taken
	InUse         Code = "in_use"          // busy with something that excludes this
	NotReady      Code = "not_ready"       // exists, not usable yet
	Unauthorized  Code = "unauthorized"    // no valid credentials
	Forbidden     Code = "forbidden"       // valid credentials without the right
	Throttled     Code = "throttled"       // too much at once; try again later
	Unsupported   Code = "unsupported"     // known, not offered here
	Unreachable   Code = "unreachable"     // a source named by the request cannot be read
	Canceled      Code = "canceled"        // the caller gave up, or its time ran out
	LimitExceeded Code = "limit_exceeded"  // a quota is used up; take something away first
)

// Error is an error that a caller acts on. Msg is for people and safe to show to
// them; Err is the cause, for logs.
type Error struct {
	Op   string // package.Function, for logs
	Code Code
	Msg  string // a sentence that names the thing and says what to do
	Err  error
}

// Error returns the message, followed by the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first *Error in err's chain. Any other error, a
// full disk or a lost connection, is Internal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Message returns what a client may be told of err: the message of the first
// *Error in its chain, or a plain sentence for everything else.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != Internal {
		return e.Msg
	}
	return "Internal error."
}
