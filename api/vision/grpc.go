package vision

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"
	"connectrpc.com/connect"

	"trilobite"
	"trilobite/api/google"
)

// grpcRoutes serves the gRPC service: the one method, and UNIMPLEMENTED for the rest.
func (h *Handler) grpcRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Service+"BatchAnnotateImages", google.CodedBody(connect.NewUnaryHandler(
		Service+"BatchAnnotateImages",
		func(ctx context.Context, r *connect.Request[pb.BatchAnnotateImagesRequest]) (*connect.Response[pb.BatchAnnotateImagesResponse], error) {
			resp, err := h.annotate(ctx, r.Msg)
			if err != nil {
				return nil, google.ConnectError(err)
			}
			return connect.NewResponse(resp), nil
		},
		connect.WithReadMaxBytes(maxGRPCBytes),
	)))
	mux.HandleFunc(Service, func(w http.ResponseWriter, r *http.Request) {
		method := strings.TrimPrefix(r.URL.Path, Service)
		msg := fmt.Sprintf("ImageAnnotator has no method %q.", google.Short(method))
		if Operation(r) != "unknown" {
			msg = notOffered(method)
		}
		google.WriteError(w, r, &trilobite.Error{Op: "vision.grpc", Code: trilobite.Unsupported, Msg: msg})
	})
	return mux
}

func notOffered(method string) string {
	return method + " is not offered by this server; BatchAnnotateImages is."
}
