package vision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"
	"connectrpc.com/connect"

	"trilobite"
)

// grpcRoutes serves the gRPC service: the one method, and UNIMPLEMENTED for the rest.
func (h *Handler) grpcRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Service+"BatchAnnotateImages", codedBody(connect.NewUnaryHandler(
		Service+"BatchAnnotateImages",
		func(ctx context.Context, r *connect.Request[pb.BatchAnnotateImagesRequest]) (*connect.Response[pb.BatchAnnotateImagesResponse], error) {
			resp, err := h.annotate(ctx, r.Msg)
			if err != nil {
				return nil, connectError(err)
			}
			return connect.NewResponse(resp), nil
		},
		connect.WithReadMaxBytes(maxGRPCBytes),
	)))
	mux.HandleFunc(Service, func(w http.ResponseWriter, r *http.Request) {
		method := strings.TrimPrefix(r.URL.Path, Service)
		msg := fmt.Sprintf("ImageAnnotator has no method %q.", short(method))
		if Operation(r) != "unknown" {
			msg = notOffered(method)
		}
		WriteError(w, r, &trilobite.Error{Op: "vision.grpc", Code: trilobite.Unsupported, Msg: msg})
	})
	return mux
}

func notOffered(method string) string {
	return method + " is not offered by this server; BatchAnnotateImages is."
}

// codedBody gives the server's own errors about a body, too slow or too much at once,
// the form in which the gRPC library keeps their codes.
func codedBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = coded{r.Body}
		next.ServeHTTP(w, r)
	})
}

type coded struct{ io.ReadCloser }

// Read reads, and translates errors.
func (c coded) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return n, connectError(err)
	}
	return n, err
}
