package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// deleteProject serves DeleteProject, which goes on after the answer.
func (s *Server) deleteProject(ctx context.Context, in *rekognition.DeleteProjectInput) (*rekognition.DeleteProjectOutput, error) {
	a, err := own(ctx, in.ProjectArn)
	if err != nil {
		return nil, err
	}
	p, err := s.Custom.DeleteProject(ctx, a, now())
	if err != nil {
		return nil, err
	}
	return &rekognition.DeleteProjectOutput{Status: types.ProjectStatus(p.Status)}, nil
}
