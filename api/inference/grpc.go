package inference

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"connectrpc.com/connect"

	"trilobite"
	"trilobite/api/inference/internal/pb"
	"trilobite/serving"
	"trilobite/tensor"
)

// grpcRoutes serves the gRPC service: the methods that are offered, and UNIMPLEMENTED for
// the rest.
func (h *Handler) grpcRoutes() http.Handler {
	mux := http.NewServeMux()
	unary(h, mux, "ServerLive", func(context.Context, *pb.ServerLiveRequest) (*pb.ServerLiveResponse, error) {
		return &pb.ServerLiveResponse{Live: true}, nil
	})
	unary(h, mux, "ServerReady", func(context.Context, *pb.ServerReadyRequest) (*pb.ServerReadyResponse, error) {
		return &pb.ServerReadyResponse{Ready: true}, nil
	})
	unary(h, mux, "ServerMetadata", func(context.Context, *pb.ServerMetadataRequest) (*pb.ServerMetadataResponse, error) {
		return &pb.ServerMetadataResponse{Name: name, Version: h.config.Version, Extensions: extensions()}, nil
	})
	unary(h, mux, "ModelReady", func(_ context.Context, in *pb.ModelReadyRequest) (*pb.ModelReadyResponse, error) {
		ready, err := h.ready(ref(in.GetName(), in.GetVersion()))
		if trilobite.CodeOf(err) == trilobite.NotFound {
			err = nil // not ready, as Triton has it
		}
		return &pb.ModelReadyResponse{Ready: ready}, err
	})
	unary(h, mux, "ModelMetadata", h.grpcMetadata)
	unary(h, mux, "ModelConfig", h.grpcConfig)
	unary(h, mux, "ModelInfer", h.grpcInfer)
	unary(h, mux, "RepositoryIndex", h.grpcIndex)
	unary(h, mux, "RepositoryModelLoad", func(ctx context.Context, in *pb.RepositoryModelLoadRequest) (*pb.RepositoryModelLoadResponse, error) {
		if len(in.GetParameters()) > 0 {
			return nil, unsupported("Loading takes no parameters here: a model is loaded as its card says.")
		}
		return &pb.RepositoryModelLoadResponse{}, h.config.Models.Load(ctx, in.GetModelName())
	})
	unary(h, mux, "RepositoryModelUnload", func(ctx context.Context, in *pb.RepositoryModelUnloadRequest) (*pb.RepositoryModelUnloadResponse, error) {
		return &pb.RepositoryModelUnloadResponse{}, h.config.Models.Unload(ctx, in.GetModelName())
	})
	mux.HandleFunc(Service, func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, unsupported("%.100s is not offered by this server.", strings.TrimPrefix(r.URL.Path, Service)))
	})
	return mux
}

// unary registers a method.
func unary[In, Out any](h *Handler, mux *http.ServeMux, method string, call func(context.Context, *In) (*Out, error)) {
	handler := connect.NewUnaryHandler(Service+method, func(ctx context.Context, r *connect.Request[In]) (*connect.Response[Out], error) {
		out, err := call(ctx, r.Msg)
		if err != nil {
			return nil, rpcError(h.noted(ctx, err))
		}
		return connect.NewResponse(out), nil
	}, connect.WithReadMaxBytes(maxBody))
	mux.Handle(Service+method, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = coded{r.Body}
		handler.ServeHTTP(w, r)
	}))
}

// coded gives the server's own errors about a body, too slow or too much at once, the form
// in which the gRPC library keeps their codes.
type coded struct{ io.ReadCloser }

// Read reads, and translates errors.
func (c coded) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return n, rpcError(err)
	}
	return n, err
}

func (h *Handler) grpcMetadata(ctx context.Context, in *pb.ModelMetadataRequest) (*pb.ModelMetadataResponse, error) {
	v, err := h.config.Models.Values(ctx, ref(in.GetName(), in.GetVersion()))
	if err != nil {
		return nil, err
	}
	describe := func(values []serving.Value) []*pb.ModelMetadataResponse_TensorMetadata {
		all := make([]*pb.ModelMetadataResponse_TensorMetadata, len(values))
		for i, v := range values {
			all[i] = &pb.ModelMetadataResponse_TensorMetadata{Name: v.Name, Datatype: datatype(v.DType), Shape: v.Shape}
		}
		return all
	}
	return &pb.ModelMetadataResponse{
		Name: v.Model.Name, Versions: h.versions(v.Model.Name), Platform: platform, Inputs: describe(v.Inputs), Outputs: describe(v.Outputs),
	}, nil
}

func (h *Handler) grpcIndex(_ context.Context, in *pb.RepositoryIndexRequest) (*pb.RepositoryIndexResponse, error) {
	list, err := h.repository(in.GetReady())
	out := &pb.RepositoryIndexResponse{}
	for _, m := range list {
		out.Models = append(out.Models, &pb.RepositoryIndexResponse_ModelIndex{Name: m.Name, Version: m.Version, State: m.State, Reason: m.Reason})
	}
	return out, err
}

// grpcInfer runs a model. Outputs come raw.
func (h *Handler) grpcInfer(ctx context.Context, q *pb.ModelInferRequest) (*pb.ModelInferResponse, error) {
	in, err := grpcInputs(q)
	if err != nil {
		return nil, err
	}
	var want []string
	for _, o := range q.GetOutputs() {
		for key := range o.GetParameters() {
			if key == "classification" || strings.HasPrefix(key, "shared_memory") {
				return nil, unsupported("The parameter %s is not offered.", key)
			}
		}
		want = append(want, o.GetName())
	}
	out, err := h.config.Models.Infer(ctx, ref(q.GetModelName(), q.GetModelVersion()), in, want)
	if err != nil {
		return nil, err
	}
	answer := &pb.ModelInferResponse{ModelName: out.Model.Name, ModelVersion: strconv.Itoa(out.Model.Version), Id: q.GetId()}
	for i, t := range out.Data {
		answer.Outputs = append(answer.Outputs, &pb.ModelInferResponse_InferOutputTensor{Name: out.Names[i], Datatype: datatype(t.DType), Shape: t.Shape})
		raw, err := toBinary(t)
		if err != nil {
			return nil, err
		}
		answer.RawOutputContents = append(answer.RawOutputContents, raw)
	}
	return answer, nil
}

// grpcInputs takes the tensors out of a request: all raw, or all with contents.
func grpcInputs(q *pb.ModelInferRequest) (map[string]*tensor.Tensor, error) {
	raw := q.GetRawInputContents()
	if len(raw) > 0 && len(raw) != len(q.GetInputs()) {
		return nil, invalid("The request has %d inputs and %d raw_input_contents: one for each, or none.", len(q.GetInputs()), len(raw))
	}
	all := map[string]*tensor.Tensor{}
	for i, in := range q.GetInputs() {
		name := in.GetName()
		if all[name] != nil {
			return nil, invalid("Input %.100q is there twice.", name)
		}
		for key := range in.GetParameters() {
			if strings.HasPrefix(key, "shared_memory") {
				return nil, unsupported("Shared memory is not offered.")
			}
		}
		d, err := dtype(in.GetDatatype())
		if err == nil {
			switch {
			case raw == nil:
				all[name], err = fromContents(d, in.GetShape(), in.GetContents())
			case in.GetContents() != nil:
				err = errors.New("it has contents and raw_input_contents: send one of them")
			default:
				all[name], err = fromBinary(d, in.GetShape(), raw[i])
			}
		}
		if err != nil {
			return nil, invalid("Input %.100q: %v.", name, err)
		}
	}
	return all, nil
}
