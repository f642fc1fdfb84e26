package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// deleteDataset serves DeleteDataset, which goes on after the answer.
func (s *Server) deleteDataset(ctx context.Context, in *rekognition.DeleteDatasetInput) (*rekognition.DeleteDatasetOutput, error) {
	a, err := own(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	return &rekognition.DeleteDatasetOutput{}, s.Custom.DeleteDataset(ctx, a, now())
}
