package google

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"trilobite"
)

// ReadJSON reads a body of JSON, gzipped or not, at most so many bytes either way.
func ReadJSON(w http.ResponseWriter, r *http.Request, most int64, into proto.Message) error {
	var body io.Reader = http.MaxBytesReader(w, r.Body, most)
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return readError(err, most)
		}
		body = z
	default:
		return Invalid(fmt.Sprintf("Content-Encoding %q is not supported: use gzip or none.", Short(encoding)))
	}
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return readError(err, most)
	}
	if int64(len(data)) > most {
		return payloadTooLarge(most)
	}
	if err := protojson.Unmarshal(data, into); err != nil {
		return Invalid(payloadMessage(err))
	}
	return nil
}

// readError sorts what may happen while a body arrives.
func readError(err error, most int64) error {
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return err // the server's own, of a body that came too slowly
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return payloadTooLarge(most)
	}
	return &trilobite.Error{Op: "google.ReadJSON", Code: trilobite.Invalid, Msg: "The request body could not be read: it is cut short or its encoding is broken.", Err: err}
}

// payloadTooLarge is Google's sentence for it.
func payloadTooLarge(most int64) error {
	return Invalid(fmt.Sprintf("Request payload size exceeds the limit: %d bytes.", most))
}

// payloadMessage turns protojson's error into Google's form. protojson quotes whole
// values, which here are images, and varies its spaces on purpose.
func payloadMessage(err error) string {
	msg := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto: ")
	if _, name, ok := strings.Cut(msg, "unknown field "); ok {
		return fmt.Sprintf("Invalid JSON payload received. Unknown name %s: Cannot find field.", Short(name))
	}
	return "Invalid JSON payload received. " + Short(msg)
}

// WriteJSON answers with m as Google does: names or numbers for enums, and two spaces of
// indentation unless prettyPrint is off. json rewrites protojson's deliberately unstable
// spaces.
func WriteJSON(w http.ResponseWriter, m proto.Message, p Params) error {
	raw, err := protojson.MarshalOptions{UseEnumNumbers: p.EnumNumbers}.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding response: %w", err)
	}
	var out bytes.Buffer
	if p.Pretty {
		err = json.Indent(&out, raw, "", "  ")
		out.WriteByte('\n')
	} else {
		err = json.Compact(&out, raw)
	}
	if err != nil {
		return fmt.Errorf("encoding response: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(out.Bytes()) // a failed write means that the client has gone
	return nil
}
