package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// listTagsForResource serves ListTagsForResource.
func (s *Server) listTagsForResource(ctx context.Context, in *rekognition.ListTagsForResourceInput) (*rekognition.ListTagsForResourceOutput, error) {
	a, err := own(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.Custom.Tags(ctx, a)
	if err != nil {
		return nil, err
	}
	return &rekognition.ListTagsForResourceOutput{Tags: tags}, nil
}
