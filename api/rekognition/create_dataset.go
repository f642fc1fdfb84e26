package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"trilobite/custom"
)

// createDataset serves CreateDataset: empty without a source, from a manifest, or a copy
// of another data set of the account.
func (s *Server) createDataset(ctx context.Context, in *rekognition.CreateDatasetInput) (*rekognition.CreateDatasetOutput, error) {
	p, err := own(ctx, in.ProjectArn)
	if err != nil {
		return nil, err
	}
	n := custom.NewDataset{Project: p, Type: custom.DatasetType(in.DatasetType), Tags: in.Tags, CreatedAt: now()}
	if src := in.DatasetSource; src != nil {
		switch {
		case (src.DatasetArn == nil) == (src.GroundTruthManifest == nil):
			return nil, invalid("CreateDataset", "A DatasetSource has either DatasetArn or GroundTruthManifest.")
		case src.DatasetArn != nil:
			from, err := own(ctx, src.DatasetArn)
			if err != nil {
				return nil, err
			}
			n.Dataset = &from
		default:
			if n.Manifest, err = object("CreateDataset", src.GroundTruthManifest.S3Object); err != nil {
				return nil, err
			}
		}
	}
	d, err := s.Custom.CreateDataset(ctx, n)
	if err != nil {
		return nil, err
	}
	return &rekognition.CreateDatasetOutput{DatasetArn: aws.String(d.ARN.String())}, nil
}
