package vertex

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	pb "cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"connectrpc.com/connect"

	"trilobite"
	"trilobite/api/google"
)

// grpcRoutes serves one method of each service, and UNIMPLEMENTED for the rest.
func (h *Handler) grpcRoutes() http.Handler {
	mux := http.NewServeMux()
	unary(mux, Predictions+"Predict", h.predict)
	unary(mux, Endpoints+"GetEndpoint", func(_ context.Context, in *pb.GetEndpointRequest) (*pb.Endpoint, error) {
		return h.endpoint(in.GetName())
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		google.WriteError(w, r, &trilobite.Error{
			Op: "vertex.grpc", Code: trilobite.Unsupported, Msg: fmt.Sprintf("%s is not offered by this server; Predict and GetEndpoint are.", google.Short(method)),
		})
	})
	return mux
}

func unary[In, Out any](mux *http.ServeMux, path string, answer func(context.Context, *In) (*Out, error)) {
	mux.Handle(path, google.CodedBody(connect.NewUnaryHandler(path, func(ctx context.Context, r *connect.Request[In]) (*connect.Response[Out], error) {
		out, err := answer(ctx, r.Msg)
		if err != nil {
			return nil, google.ConnectError(err)
		}
		return connect.NewResponse(out), nil
	}, connect.WithReadMaxBytes(maxBytes))))
}
