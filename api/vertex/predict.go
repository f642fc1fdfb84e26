package vertex

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	pb "cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/structpb"

	"trilobite"
	"trilobite/api/google"
	"trilobite/serving"
	"trilobite/zoo"
)

// predict answers a call: one prediction per instance, in the same order. An instance that
// cannot be answered is the whole call's error.
func (h *Handler) predict(ctx context.Context, in *pb.PredictRequest) (*pb.PredictResponse, error) {
	parent, ref, err := parse(in.GetEndpoint())
	if err != nil {
		return nil, err
	}
	if n := len(in.GetInstances()); n == 0 || n > maxInstances {
		return nil, google.Invalid(fmt.Sprintf("instances has %d elements; 1 to %d are allowed.", n, maxInstances))
	}
	p, err := readParameters(in.GetParameters())
	if err != nil {
		return nil, err
	}
	images := make([][]byte, len(in.GetInstances()))
	for i, v := range in.GetInstances() {
		if images[i], err = readInstance(v); err != nil {
			return nil, google.Invalid(fmt.Sprintf("Instance %d: %s", i, trilobite.Message(err)))
		}
	}
	seen, predictions := make([]*serving.Seen, len(images)), make([]*structpb.Value, len(images))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(h.config.Parallel)
	for i, image := range images {
		g.Go(func() (err error) {
			if seen[i], err = h.config.Models.Look(gctx, ref, image, serving.Params{MinScore: &p.threshold}); err != nil {
				return err
			}
			predictions[i], err = prediction(seen[i], p)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, h.noted(ctx, notFound(in.GetEndpoint(), err))
	}
	return response(parent, seen[0].Model, predictions), nil
}

// response names the model that answered.
func response(parent string, m zoo.Model, predictions []*structpb.Value) *pb.PredictResponse {
	version := strconv.Itoa(m.Version)
	return &pb.PredictResponse{
		Predictions: predictions, DeployedModelId: version, Model: parent + "/models/" + m.Name, ModelVersionId: version,
		ModelDisplayName: cmp.Or(m.Title, m.Name),
	}
}

// noted logs a fault of ours, and says where the time ran out or the client went.
func (h *Handler) noted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		msg := "The operation was cancelled."
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			msg = "Deadline exceeded."
		}
		return &trilobite.Error{Op: "vertex.Predict", Code: trilobite.Canceled, Msg: msg, Err: ctx.Err()}
	}
	if trilobite.CodeOf(err) == trilobite.Internal {
		h.config.Log.ErrorContext(ctx, "predicting", "error", err)
	}
	return err
}
