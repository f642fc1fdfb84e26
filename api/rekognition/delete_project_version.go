package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// deleteProjectVersion serves DeleteProjectVersion, which goes on after the answer.
func (s *Server) deleteProjectVersion(ctx context.Context, in *rekognition.DeleteProjectVersionInput) (*rekognition.DeleteProjectVersionOutput, error) {
	a, err := own(ctx, in.ProjectVersionArn)
	if err != nil {
		return nil, err
	}
	v, err := s.Custom.DeleteVersion(ctx, a, now())
	if err != nil {
		return nil, err
	}
	return &rekognition.DeleteProjectVersionOutput{Status: types.ProjectVersionStatus(v.Status)}, nil
}
