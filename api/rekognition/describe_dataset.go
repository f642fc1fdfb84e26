package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// describeDataset serves DescribeDataset.
func (s *Server) describeDataset(ctx context.Context, in *rekognition.DescribeDatasetInput) (*rekognition.DescribeDatasetOutput, error) {
	a, err := own(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	d, err := s.Custom.Dataset(ctx, a)
	if err != nil {
		return nil, err
	}
	return &rekognition.DescribeDatasetOutput{DatasetDescription: &types.DatasetDescription{
		CreationTimestamp: aws.Time(d.CreatedAt), LastUpdatedTimestamp: aws.Time(d.UpdatedAt),
		Status: types.DatasetStatus(d.Status), StatusMessage: text(d.Message), StatusMessageCode: types.DatasetStatusMessageCode(d.MessageCode),
		DatasetStats: &types.DatasetStats{
			LabeledEntries: count(d.Stats.Labeled), TotalEntries: count(d.Stats.Total),
			TotalLabels: count(d.Stats.Labels), ErrorEntries: count(d.Stats.Errors),
		},
	}}, nil
}

func count(n int) *int32 { return aws.Int32(int32(n)) }
