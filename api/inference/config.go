package inference

import (
	"context"
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"

	"trilobite/api/inference/internal/pb"
	"trilobite/serving"
)

// modelConfigOf describes a model as Triton's model configuration does. Its batch size of 0 says
// that shapes are whole: the first dimension is open where a model takes several at once.
func (h *Handler) modelConfigOf(ctx context.Context, ref string) (*pb.ModelConfig, error) {
	v, err := h.config.Models.Values(ctx, ref)
	if err != nil {
		return nil, err
	}
	c := &pb.ModelConfig{Name: v.Model.Name, Platform: platform, Backend: "onnxruntime"}
	for _, in := range v.Inputs {
		c.Input = append(c.Input, &pb.ModelInput{Name: in.Name, DataType: tritonType(in), Dims: in.Shape})
	}
	for _, out := range v.Outputs {
		c.Output = append(c.Output, &pb.ModelOutput{Name: out.Name, DataType: tritonType(out), Dims: out.Shape})
	}
	return c, nil
}

// tritonType is a type's name in configurations: TYPE_ and the protocol's, but for BYTES.
func tritonType(v serving.Value) pb.DataType {
	name := datatype(v.DType)
	if name == "BYTES" {
		name = "STRING"
	}
	return pb.DataType(pb.DataType_value["TYPE_"+name])
}

func (h *Handler) modelConfig(w http.ResponseWriter, r *http.Request) error {
	c, err := h.modelConfigOf(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	body, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(c)
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, body)
	return nil
}

func (h *Handler) grpcConfig(ctx context.Context, in *pb.ModelConfigRequest) (*pb.ModelConfigResponse, error) {
	c, err := h.modelConfigOf(ctx, ref(in.GetName(), in.GetVersion()))
	return &pb.ModelConfigResponse{Config: c}, err
}
