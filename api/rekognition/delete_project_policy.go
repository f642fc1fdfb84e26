package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// deleteProjectPolicy serves DeleteProjectPolicy.
func (s *Server) deleteProjectPolicy(ctx context.Context, in *rekognition.DeleteProjectPolicyInput) (*rekognition.DeleteProjectPolicyOutput, error) {
	a, err := own(ctx, in.ProjectArn)
	if err != nil {
		return nil, err
	}
	return &rekognition.DeleteProjectPolicyOutput{}, s.Custom.DeletePolicy(ctx, a, *in.PolicyName, aws.ToString(in.PolicyRevisionId))
}
