package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// tagResource serves TagResource, of projects, data sets and versions.
func (s *Server) tagResource(ctx context.Context, in *rekognition.TagResourceInput) (*rekognition.TagResourceOutput, error) {
	a, err := own(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &rekognition.TagResourceOutput{}, s.Custom.Tag(ctx, a, in.Tags)
}
