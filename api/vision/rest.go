package vision

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"
	"google.golang.org/protobuf/encoding/protojson"

	"trilobite"
)

// restRoutes serves the paths that the service's google.api.http annotations name.
func (h *Handler) restRoutes() http.Handler {
	mux := http.NewServeMux()
	for _, parent := range []string{"", "projects/{project}/", "projects/{project}/locations/{location}/"} {
		mux.HandleFunc("POST /v1/"+parent+"images:annotate", h.restAnnotate)
		for _, other := range []string{"images:asyncBatchAnnotate", "files:annotate", "files:asyncBatchAnnotate"} {
			mux.HandleFunc("POST /v1/"+parent+other, restUnsupported)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, &trilobite.Error{
			Op: "vision.rest", Code: trilobite.NotFound,
			Msg: fmt.Sprintf("%s %s was not found on this server; POST /v1/images:annotate is.", r.Method, short(r.URL.Path)),
		})
	})
	return mux
}

func restUnsupported(w http.ResponseWriter, r *http.Request) {
	WriteError(w, r, &trilobite.Error{Op: "vision.rest", Code: trilobite.Unsupported, Msg: notOffered(Operation(r))})
}

func (h *Handler) restAnnotate(w http.ResponseWriter, r *http.Request) {
	p, err := parseParams(r.URL.RawQuery)
	if err != nil {
		WriteError(w, r, err)
		return
	}
	batch, err := readBatch(w, r)
	if err != nil {
		WriteError(w, r, err)
		return
	}
	if project := r.PathValue("project"); project != "" {
		batch.Parent = "projects/" + project
		if location := r.PathValue("location"); location != "" {
			batch.Parent += "/locations/" + location
		}
	}
	resp, err := h.annotate(r.Context(), batch)
	if err != nil {
		WriteError(w, r, err)
		return
	}
	body, err := marshal(resp, p)
	if err != nil {
		WriteError(w, r, fmt.Errorf("encoding response: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // a failed write means that the client has gone
}

// readBatch reads the JSON body, gzipped or not, at most maxJSONBytes either way.
func readBatch(w http.ResponseWriter, r *http.Request) (*pb.BatchAnnotateImagesRequest, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, maxJSONBytes)
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, readError(err)
		}
		body = z
	default:
		return nil, invalid(fmt.Sprintf("Content-Encoding %q is not supported: use gzip or none.", short(encoding)))
	}
	data, err := io.ReadAll(io.LimitReader(body, maxJSONBytes+1))
	if err != nil {
		return nil, readError(err)
	}
	if len(data) > maxJSONBytes {
		return nil, payloadTooLarge()
	}
	batch := &pb.BatchAnnotateImagesRequest{}
	if err := protojson.Unmarshal(data, batch); err != nil {
		return nil, invalid(payloadMessage(err))
	}
	return batch, nil
}

// readError sorts what may happen while a body arrives.
func readError(err error) error {
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return err // the server's own, of a body that came too slowly
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return payloadTooLarge()
	}
	return &trilobite.Error{Op: "vision.rest", Code: trilobite.Invalid, Msg: "The request body could not be read: it is cut short or its encoding is broken.", Err: err}
}

// payloadTooLarge is Google's sentence for it.
func payloadTooLarge() error {
	return invalid(fmt.Sprintf("Request payload size exceeds the limit: %d bytes.", maxJSONBytes))
}

// payloadMessage turns protojson's error into Google's form. protojson quotes whole
// values, which here are images, and varies its spaces on purpose.
func payloadMessage(err error) string {
	msg := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto: ")
	if _, name, ok := strings.Cut(msg, "unknown field "); ok {
		return fmt.Sprintf("Invalid JSON payload received. Unknown name %s: Cannot find field.", short(name))
	}
	return "Invalid JSON payload received. " + short(msg)
}

// marshal writes m as Google does: names or numbers for enums, and two spaces of
// indentation unless prettyPrint is off. json rewrites protojson's deliberately
// unstable spaces.
func marshal(m *pb.BatchAnnotateImagesResponse, p params) ([]byte, error) {
	raw, err := protojson.MarshalOptions{UseEnumNumbers: p.enumNumbers}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if p.pretty {
		err = json.Indent(&out, raw, "", "  ")
		out.WriteByte('\n')
	} else {
		err = json.Compact(&out, raw)
	}
	return out.Bytes(), err
}
