package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"trilobite/custom"
)

// distributeDatasetEntries serves DistributeDatasetEntries: of its two data sets, in any
// order, a fifth of the training one goes to the empty test one.
func (s *Server) distributeDatasetEntries(ctx context.Context, in *rekognition.DistributeDatasetEntriesInput) (*rekognition.DistributeDatasetEntriesOutput, error) {
	var both [2]custom.ARN
	for i, d := range in.Datasets {
		a, err := own(ctx, d.Arn)
		if err != nil {
			return nil, err
		}
		both[i] = a
	}
	if both[0].Name == "test" {
		both[0], both[1] = both[1], both[0]
	}
	return &rekognition.DistributeDatasetEntriesOutput{}, s.Custom.Distribute(ctx, both[0], both[1], now())
}
