package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// startProjectVersion serves StartProjectVersion. Inference units are replicas of the
// model that run side by side.
func (s *Server) startProjectVersion(ctx context.Context, in *rekognition.StartProjectVersionInput) (*rekognition.StartProjectVersionOutput, error) {
	a, err := own(ctx, in.ProjectVersionArn)
	if err != nil {
		return nil, err
	}
	least, most := int(*in.MinInferenceUnits), int(or(in.MaxInferenceUnits, 0))
	if in.MaxInferenceUnits != nil && most < least {
		return nil, invalid("StartProjectVersion", "MaxInferenceUnits is below MinInferenceUnits.")
	}
	v, err := s.Custom.StartVersion(ctx, a, least, most, now())
	if err != nil {
		return nil, err
	}
	return &rekognition.StartProjectVersionOutput{Status: types.ProjectVersionStatus(v.Status)}, nil
}
