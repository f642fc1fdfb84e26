package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite"
	"trilobite/custom"
)

// createProjectVersion serves CreateProjectVersion, which begins to train: on the
// project's data sets, or, in a project without, on the manifests of TrainingData and
// TestingData, which come together.
func (s *Server) createProjectVersion(ctx context.Context, in *rekognition.CreateProjectVersionInput) (*rekognition.CreateProjectVersionOutput, error) {
	a, err := own(ctx, in.ProjectArn)
	if err != nil {
		return nil, err
	}
	p, err := s.Custom.Project(ctx, a)
	if err != nil {
		return nil, err
	}
	if p.Feature != string(types.CustomizationFeatureCustomLabels) || in.FeatureConfig != nil {
		return nil, &trilobite.Error{Op: "rekognition.CreateProjectVersion", Code: trilobite.Unsupported, Msg: "Trilobite does not train adapters for content moderation."}
	}
	if in.OutputConfig.S3Bucket == nil {
		return nil, invalid("CreateProjectVersion", "OutputConfig needs S3Bucket.")
	}
	n := custom.NewVersion{
		Project: a, Name: *in.VersionName, Tags: in.Tags, CreatedAt: now(),
		Detail: custom.VersionDetail{
			Message: "The model is being trained.", Feature: p.Feature, KMSKey: aws.ToString(in.KmsKeyId), Description: aws.ToString(in.VersionDescription),
			Output: custom.Output{Bucket: *in.OutputConfig.S3Bucket, Prefix: aws.ToString(in.OutputConfig.S3KeyPrefix)},
		},
	}
	if err := manifests(in, &n.Detail); err != nil {
		return nil, err
	}
	v, err := s.Custom.CreateVersion(ctx, n)
	if err != nil {
		return nil, err
	}
	return &rekognition.CreateProjectVersionOutput{ProjectVersionArn: aws.String(v.ARN.String())}, nil
}

// manifests reads TrainingData and TestingData.
func manifests(in *rekognition.CreateProjectVersionInput, d *custom.VersionDetail) (err error) {
	const op = "CreateProjectVersion"
	if in.TrainingData == nil && in.TestingData == nil {
		return nil
	}
	if in.TrainingData == nil || in.TestingData == nil {
		return invalid(op, "TrainingData and TestingData go together.")
	}
	if d.Training, err = assets(op, in.TrainingData.Assets); err != nil {
		return err
	}
	if d.Testing, err = assets(op, in.TestingData.Assets); err != nil {
		return err
	}
	d.AutoCreate = in.TestingData.AutoCreate
	switch {
	case len(d.Training) == 0:
		return invalid(op, "TrainingData needs an asset.")
	case d.AutoCreate == (len(d.Testing) > 0):
		return invalid(op, "TestingData has either assets or AutoCreate.")
	}
	return nil
}

func assets(op string, list []types.Asset) ([]custom.Object, error) {
	var out []custom.Object
	for _, a := range list {
		if a.GroundTruthManifest == nil {
			return nil, invalid(op, "An asset needs a GroundTruthManifest.")
		}
		o, err := object(op, a.GroundTruthManifest.S3Object)
		if err != nil {
			return nil, err
		}
		out = append(out, *o)
	}
	return out, nil
}
