package rekognition

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite/custom"
)

const (
	holdFor  = 25 * time.Second       // a call about one busy version, for its state to change
	holdLook = 100 * time.Millisecond // between looks
	holdLeft = 2 * time.Second        // of the request's time, to answer
)

// describeProjectVersions serves DescribeProjectVersions: a project's versions, newest
// first.
//
// A call that names one version, and finds it busy, is held until its state changes, for
// 25 s at most: the service's waiters ask every 120 s, longer than a training takes here.
func (s *Server) describeProjectVersions(ctx context.Context, in *rekognition.DescribeProjectVersionsInput) (*rekognition.DescribeProjectVersionsOutput, error) {
	a, err := own(ctx, in.ProjectArn)
	if err != nil {
		return nil, err
	}
	q := custom.VersionQuery{Names: in.VersionNames, Limit: int(or(in.MaxResults, page))}
	call := []string{"DescribeProjectVersions", a.String(), strings.Join(q.Names, ",")}
	if q.Before, err = cursorID(in.NextToken, call...); err != nil {
		return nil, err
	}
	list, err := s.Custom.Versions(ctx, a, q)
	if err == nil && len(q.Names) == 1 && len(list) == 1 && list[0].Status.Busy() {
		list, err = s.hold(ctx, a, q, list)
	}
	if err != nil {
		return nil, err
	}
	out := &rekognition.DescribeProjectVersionsOutput{ProjectVersionDescriptions: []types.ProjectVersionDescription{}}
	for _, v := range list {
		out.ProjectVersionDescriptions = append(out.ProjectVersionDescriptions, versionDescription(v))
	}
	if len(list) == q.Limit {
		out.NextToken = tokenID(list[len(list)-1].ID, call...)
	}
	return out, nil
}

// hold asks again until the one version's state is another, or the time is up, or the
// server closes. A look that the time cuts off does not count: the answer is what was seen
// before it.
func (s *Server) hold(ctx context.Context, a custom.ARN, q custom.VersionQuery, list []custom.Version) ([]custom.Version, error) {
	was := list[0].Status
	until := time.Now().Add(holdFor)
	if d, bounded := ctx.Deadline(); bounded && d.Add(-holdLeft).Before(until) {
		until = d.Add(-holdLeft)
	}
	looking, stop := context.WithDeadline(ctx, until)
	defer stop()
	tick := time.NewTicker(holdLook)
	defer tick.Stop()
	for {
		select {
		case <-looking.Done():
			return list, ctx.Err()
		case <-s.Closing:
			return list, nil
		case <-tick.C:
		}
		now, err := s.Custom.Versions(looking, a, q)
		switch {
		case looking.Err() != nil:
			return list, ctx.Err()
		case err != nil || len(now) != 1 || now[0].Status != was:
			return now, err
		}
		list = now
	}
}

func versionDescription(v custom.Version) types.ProjectVersionDescription {
	d := types.ProjectVersionDescription{
		ProjectVersionArn: aws.String(v.ARN.String()), CreationTimestamp: aws.Time(v.CreatedAt),
		Status: types.ProjectVersionStatus(v.Status), StatusMessage: text(v.Message), VersionDescription: text(v.Description),
		KmsKeyId: text(v.KMSKey), SourceProjectVersionArn: text(v.Source), BaseModelVersion: text(v.Base),
		Feature:      types.CustomizationFeature(v.Feature),
		OutputConfig: &types.OutputConfig{S3Bucket: aws.String(v.Output.Bucket), S3KeyPrefix: aws.String(v.Output.Prefix)},
	}
	if v.Progress != "" && v.Status == custom.TrainingInProgress {
		d.StatusMessage = aws.String(v.Progress)
	}
	if v.MinUnits > 0 {
		d.MinInferenceUnits = count(v.MinUnits)
	}
	if v.MaxUnits > 0 {
		d.MaxInferenceUnits = count(v.MaxUnits)
	}
	if !v.TrainedAt.IsZero() {
		d.TrainingEndTimestamp, d.BillableTrainingTimeInSeconds = aws.Time(v.TrainedAt), aws.Int64(v.Seconds)
	}
	if e := v.Evaluation; e != nil {
		d.EvaluationResult = &types.EvaluationResult{F1Score: aws.Float32(float32(e.F1)), Summary: &types.Summary{S3Object: s3Object(e.Summary)}}
	}
	if v.Manifests != nil {
		d.ManifestSummary = &types.GroundTruthManifest{S3Object: s3Object(*v.Manifests)}
	}
	if f := v.TrainingFiles; f.Input != nil {
		d.TrainingDataResult = &types.TrainingDataResult{Input: &types.TrainingData{Assets: assetList(f.Input)}}
		if f.Output != nil {
			d.TrainingDataResult.Output = &types.TrainingData{Assets: assetList([]custom.Object{*f.Output})}
		}
		d.TrainingDataResult.Validation = validation(f)
	}
	if f := v.TestingFiles; f.Input != nil || f.Validation != nil {
		d.TestingDataResult = &types.TestingDataResult{Input: &types.TestingData{Assets: assetList(f.Input), AutoCreate: v.AutoCreate}}
		if f.Output != nil {
			d.TestingDataResult.Output = &types.TestingData{Assets: assetList([]custom.Object{*f.Output}), AutoCreate: v.AutoCreate}
		}
		d.TestingDataResult.Validation = validation(f)
	}
	return d
}

func assetList(list []custom.Object) []types.Asset {
	out := []types.Asset{}
	for _, o := range list {
		out = append(out, types.Asset{GroundTruthManifest: &types.GroundTruthManifest{S3Object: s3Object(o)}})
	}
	return out
}

func validation(f custom.VersionFiles) *types.ValidationData {
	if f.Validation == nil {
		return nil
	}
	return &types.ValidationData{Assets: assetList([]custom.Object{*f.Validation})}
}
