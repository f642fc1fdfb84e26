package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// stopProjectVersion serves StopProjectVersion.
func (s *Server) stopProjectVersion(ctx context.Context, in *rekognition.StopProjectVersionInput) (*rekognition.StopProjectVersionOutput, error) {
	a, err := own(ctx, in.ProjectVersionArn)
	if err != nil {
		return nil, err
	}
	v, err := s.Custom.StopVersion(ctx, a, now())
	if err != nil {
		return nil, err
	}
	return &rekognition.StopProjectVersionOutput{Status: types.ProjectVersionStatus(v.Status)}, nil
}
