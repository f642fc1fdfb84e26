package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// untagResource serves UntagResource.
func (s *Server) untagResource(ctx context.Context, in *rekognition.UntagResourceInput) (*rekognition.UntagResourceOutput, error) {
	a, err := own(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &rekognition.UntagResourceOutput{}, s.Custom.Untag(ctx, a, in.TagKeys)
}
