package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// listDatasetLabels serves ListDatasetLabels, by name.
func (s *Server) listDatasetLabels(ctx context.Context, in *rekognition.ListDatasetLabelsInput) (*rekognition.ListDatasetLabelsOutput, error) {
	a, err := own(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	after, err := cursor(in.NextToken, "ListDatasetLabels", a.String())
	if err != nil {
		return nil, err
	}
	limit := int(or(in.MaxResults, page))
	list, err := s.Custom.Labels(ctx, a, after, limit)
	if err != nil {
		return nil, err
	}
	out := &rekognition.ListDatasetLabelsOutput{DatasetLabelDescriptions: []types.DatasetLabelDescription{}}
	for _, l := range list {
		out.DatasetLabelDescriptions = append(out.DatasetLabelDescriptions, types.DatasetLabelDescription{
			LabelName:  aws.String(l.Name),
			LabelStats: &types.DatasetLabelStats{EntryCount: count(l.Entries), BoundingBoxCount: count(l.Boxes)},
		})
	}
	if len(list) == limit {
		out.NextToken = token(list[limit-1].Name, "ListDatasetLabels", a.String())
	}
	return out, nil
}
