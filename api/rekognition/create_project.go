package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite/auth"
	"trilobite/custom"
)

// createProject serves CreateProject. The project is of the region that the request was
// signed for.
func (s *Server) createProject(ctx context.Context, in *rekognition.CreateProjectInput) (*rekognition.CreateProjectOutput, error) {
	feature := in.Feature
	if feature == "" {
		feature = types.CustomizationFeatureCustomLabels
	}
	if in.AutoUpdate != "" && feature == types.CustomizationFeatureCustomLabels {
		return nil, invalid("CreateProject", "AutoUpdate is for projects of the feature CONTENT_MODERATION.")
	}
	who, _ := auth.FromContext(ctx)
	p, err := s.Custom.CreateProject(ctx, custom.NewProject{
		ARN:     custom.ARN{Region: who.Region, Account: who.Account, Project: *in.ProjectName, Kind: custom.ProjectKind},
		Feature: string(feature), AutoUpdate: string(in.AutoUpdate), Tags: in.Tags, CreatedAt: now(),
	})
	if err != nil {
		return nil, err
	}
	return &rekognition.CreateProjectOutput{ProjectArn: aws.String(p.ARN.String())}, nil
}
