package rekognition

import (
	"context"
	"errors"
)

// operation decodes body, answers and encodes.
type operation func(ctx context.Context, s *Server, name string, body []byte) ([]byte, error)

// operations lists what is offered, by the name the service gives it.
func operations() map[string]operation {
	return map[string]operation{
		"DetectLabels": handle((*Server).detectLabels),
	}
}

// handle makes an operation of a method on the SDK's structs.
func handle[In, Out any](method func(*Server, context.Context, *In) (*Out, error)) operation {
	return func(ctx context.Context, s *Server, name string, body []byte) ([]byte, error) {
		in := new(In)
		if err := s.codec.Decode(body, in); err != nil {
			return nil, err
		}
		if err := s.valid.check(name, in); err != nil {
			return nil, err
		}
		out, err := method(s, ctx, in)
		if err != nil {
			return nil, err
		}
		return s.codec.Append(nil, out)
	}
}

// asType is errors.AsType for errors that may be nil.
func asType[E error](err error) (E, bool) {
	if err == nil {
		var zero E
		return zero, false
	}
	return errors.AsType[E](err)
}
