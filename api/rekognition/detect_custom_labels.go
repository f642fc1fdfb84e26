package rekognition

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite"
	"trilobite/custom"
)

// DetectCustomLabels' limits (limits of the Custom Labels developer guide).
const (
	maxCustomBytes = 4 << 20 // of Image.Bytes
	minCustomSide  = 64      // pixels
	maxCustomSide  = 4096
)

// detectCustomLabels serves DetectCustomLabels with a running version.
//
// Without MinConfidence each label has the threshold that was best for it in training;
// with 0, everything is answered.
func (s *Server) detectCustomLabels(ctx context.Context, in *rekognition.DetectCustomLabelsInput) (*rekognition.DetectCustomLabelsOutput, error) {
	a, err := own(ctx, in.ProjectVersionArn)
	if err != nil {
		return nil, err
	}
	v, err := s.Custom.Version(ctx, a)
	if err != nil {
		return nil, err
	}
	if v.Status != custom.Running {
		return nil, &trilobite.Error{
			Op: "rekognition.DetectCustomLabels", Code: trilobite.NotReady,
			Msg: "ProjectVersion " + a.String() + " is not in a valid state to be used for inference: it is " + string(v.Status) + ".",
		}
	}
	if len(in.Image.Bytes) > maxCustomBytes {
		return nil, &trilobite.Error{Op: "rekognition.DetectCustomLabels", Code: trilobite.ImageTooLarge, Msg: "Image size is too large"}
	}
	data, err := s.image(ctx, in.Image, minCustomSide, maxCustomSide)
	if err != nil {
		return nil, err
	}
	seen, w, h, err := s.Predictor.Predict(ctx, v.Model.Name, v.Replicas(), data)
	if err != nil {
		return nil, err
	}
	out := &rekognition.DetectCustomLabelsOutput{CustomLabels: customLabels(seen, v.Model.Labels, in.MinConfidence, w, h)}
	if in.MaxResults != nil && len(out.CustomLabels) > int(*in.MaxResults) {
		out.CustomLabels = out.CustomLabels[:*in.MaxResults]
	}
	return out, nil
}

// customLabels translates predictions on a w×h image, surest first.
func customLabels(seen []custom.Prediction, labels []custom.LabelChoice, least *float32, w, h int) []types.CustomLabel {
	out := []types.CustomLabel{}
	for _, p := range seen {
		if p.Class < 0 || p.Class >= len(labels) {
			continue
		}
		at := labels[p.Class].Threshold
		if least != nil {
			at = float64(*least) / 100
		}
		if p.Score < at {
			continue
		}
		l := types.CustomLabel{Name: aws.String(labels[p.Class].Name), Confidence: percent(float32(p.Score))}
		if p.Box != nil {
			l.Geometry = &types.Geometry{BoundingBox: boundingBox(p.Box.Box(), w, h)}
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b types.CustomLabel) int { return cmp.Compare(*b.Confidence, *a.Confidence) })
	return out
}
