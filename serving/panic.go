package serving

import (
	"fmt"
	"runtime/debug"
)

// Caught turns a panic into *err when it is deferred. Goroutines need it: nobody above them
// could stop the process from ending. The error is internal, so its text, with the stack, goes
// to the log and not to the client.
func Caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}
