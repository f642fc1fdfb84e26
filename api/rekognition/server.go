// Package rekognition answers Amazon Rekognition's API: AWS JSON 1.1 at POST /, told
// apart by the header X-Amz-Target.
//
// The mux decodes, checks against the service model, asks who is calling, and encodes;
// an operation, one per file, translates between the SDK's structs and the domain's.
// Confidences are percentages here and boxes fractions of the image; nowhere else.
//
// Start at ServeHTTP, then read detect_labels.go. Errors become exceptions in errors.go
// and only there. What a request must satisfy is in shapes_gen.go, for all operations;
// the wire format in package codec.
package rekognition

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"trilobite"
	"trilobite/api/rekognition/codec"
	"trilobite/auth"
	"trilobite/custom"
)

// targetPrefix starts every X-Amz-Target of the service.
const targetPrefix = "RekognitionService."

// signingName is the service in the scope of a signature.
const signingName = "rekognition"

// MaxBody bounds a request's body in bytes: an image of 5 MiB, the service's limit, is
// 6.7 MiB of base64, and one that is somewhat larger should hear so by name.
const MaxBody = 10 << 20

// Analyzer looks at one image file.
type Analyzer interface {
	Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error)
}

// Objects reads objects of the buckets that an account may name. limit bounds an
// object's bytes; a larger one is trilobite.ImageTooLarge, one that cannot be read
// trilobite.Unreachable.
type Objects interface {
	Read(ctx context.Context, account, bucket, key, version string, limit int64) ([]byte, error)
}

// Authenticator says who signed a request. It calls body only once the rest of the
// signature is in order.
type Authenticator interface {
	SigV4(r *http.Request, service string, body func() ([]byte, error)) (auth.Identity, error)
}

// Config is what a Server works with.
type Config struct {
	Analyzer Analyzer
	Objects  Objects // nil: no buckets, every S3Object is unreachable
	Auth     Authenticator
	Custom   CustomLabels // nil: the operations of Custom Labels are not offered
	// Predictor runs the models of Custom.
	Predictor Predictor
	// Closing ends calls that are held for a change; nil: they end by themselves.
	Closing <-chan struct{}
	Version string       // of Trilobite, named in errors
	Log     *slog.Logger // nil: slog.Default
}

// Server answers the API. Make it with New.
type Server struct {
	Config
	codec      codec.Codec
	valid      *validator
	operations map[string]operation
}

// New returns a server for c, whose Analyzer and Auth are not nil.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Server{Config: c, valid: newValidator(), operations: operations(c.Custom != nil)}
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := begin(w)
	out, err := s.call(w, r)
	if err != nil {
		s.fail(w, r, id, err)
		return
	}
	_, _ = w.Write(out) // a client that left needs no answer
}

// call runs the operation that r names and returns its encoded answer.
func (s *Server) call(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	name, run, err := s.operation(r)
	if err != nil {
		return nil, err
	}
	body := sync.OnceValues(func() ([]byte, error) { return readBody(w, r) })
	who, err := s.Auth.SigV4(r, signingName, body)
	if err != nil {
		return nil, err
	}
	data, err := body()
	if err != nil {
		return nil, err
	}
	return run(custom.WithKey(auth.WithIdentity(r.Context(), who), who.KeyID), s, name, data)
}

// operation returns what r.Header's target names. Presigned calls carry the target in
// the query.
func (s *Server) operation(r *http.Request) (string, operation, error) {
	if r.Method != http.MethodPost {
		return "", nil, errMethod
	}
	target := r.Header.Get("X-Amz-Target")
	if target == "" {
		target = r.URL.Query().Get("X-Amz-Target")
	}
	name, ours := strings.CutPrefix(target, targetPrefix)
	_, exists := inputs[name]
	run, offered := s.operations[name]
	switch {
	case target == "":
		return "", nil, &unknownOperationError{"The request has no X-Amz-Target header."}
	case !ours || !exists:
		return "", nil, &unknownOperationError{"Rekognition has no operation " + quote(target) + "."}
	case !offered:
		return "", nil, &unknownOperationError{"Trilobite " + s.Version + " does not offer the operation " + name + "."}
	}
	return name, run, nil
}

// readBody reads the whole body, growing with what arrives rather than with what the
// header promises.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, errBodyTooLarge
	}
	var b bytes.Buffer
	const first = 1 << 20
	b.Grow(int(min(max(r.ContentLength, 0)+bytes.MinRead, first)))
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, ok := asType[*http.MaxBytesError](err); ok {
		return nil, errBodyTooLarge
	}
	if _, ok := asType[*trilobite.Error](err); ok {
		return nil, err // the server's own, of a body that came too slowly or was one too many
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBodyCut, err)
	}
	return b.Bytes(), nil
}

// quote cuts and quotes a word of a request for a message.
func quote(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return "\"" + strings.ToValidUTF8(s, "\uFFFD") + "\""
}
