package rekognition

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite"
	"trilobite/geom"
)

// DetectLabels' defaults and limits (API_DetectLabels.html).
const (
	defaultMinConfidence     = 55
	maxLabels                = 1000 // also the default
	defaultMaxDominantColors = 10
	maxLabelsSide            = 10_000 // pixels
)

// detectLabels serves DetectLabels.
//
// Without Features it is GENERAL_LABELS. Settings of a feature that was not asked for
// are refused; MaxLabels and MinConfidence, which clients set by habit, are ignored then.
// OrientationCorrection stays nil, as the service documents: boxes refer to the upright
// image.
func (s *Server) detectLabels(ctx context.Context, in *rekognition.DetectLabelsInput) (*rekognition.DetectLabelsOutput, error) {
	p, err := labelParams(in)
	if err != nil {
		return nil, err
	}
	data, err := s.image(ctx, in.Image, minSide, maxLabelsSide)
	if err != nil {
		return nil, err
	}
	a, err := s.Analyzer.Analyze(ctx, data, p)
	if err != nil {
		return nil, err
	}
	out := &rekognition.DetectLabelsOutput{Labels: []types.Label{}, LabelModelVersion: aws.String(a.Version)}
	if p.Labels {
		n := maxLabels
		if in.MaxLabels != nil {
			n = min(int(*in.MaxLabels), maxLabels)
		}
		out.Labels = labels(a, n, p)
	}
	if p.Properties && a.Properties != nil {
		out.ImageProperties = imageProperties(a.Properties, p.MaxColors)
	}
	return out, nil
}

// labelParams translates the request. Its members are within the service model's ranges.
func labelParams(in *rekognition.DetectLabelsInput) (trilobite.AnalyzeParams, error) {
	has := func(f types.DetectLabelsFeatureName) bool { return slices.Contains(in.Features, f) }
	p := trilobite.AnalyzeParams{
		Labels:     has(types.DetectLabelsFeatureNameGeneralLabels) || len(in.Features) == 0,
		Properties: has(types.DetectLabelsFeatureNameImageProperties),
	}
	set := in.Settings
	if set == nil {
		set = new(types.DetectLabelsSettings)
	}
	if !p.Labels && set.GeneralLabels != nil || !p.Properties && set.ImageProperties != nil {
		return p, &trilobite.Error{
			Op: "rekognition.DetectLabels", Code: trilobite.Invalid, Msg: invalidParameters,
			Err: fmt.Errorf("settings for a feature that is not in Features %v", in.Features),
		}
	}
	if p.Labels {
		p.MinScore = or(in.MinConfidence, defaultMinConfidence) / 100
		p.MaxLabels = min(max(int(or(in.MaxLabels, maxLabels)), 1), maxLabels) // 0 has no limit there
	}
	if g := set.GeneralLabels; g != nil {
		p.Filter = trilobite.LabelFilter{
			Include: g.LabelInclusionFilters, Exclude: g.LabelExclusionFilters,
			IncludeCategories: g.LabelCategoryInclusionFilters, ExcludeCategories: g.LabelCategoryExclusionFilters,
		}
	}
	if p.Properties {
		p.MaxColors = defaultMaxDominantColors
		if i := set.ImageProperties; i != nil && i.MaxDominantColors > 0 { // the SDK's struct cannot tell 0 from absent
			p.MaxColors = int(i.MaxDominantColors)
		}
	}
	return p, nil
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// labels translates the first n labels. Their lists are never nil: the service sends [].
func labels(a *trilobite.Analysis, n int, p trilobite.AnalyzeParams) []types.Label {
	out := make([]types.Label, 0, min(n, len(a.Labels)))
	for _, l := range a.Labels[:min(n, len(a.Labels))] {
		t := types.Label{
			Name: aws.String(l.Name), Confidence: percent(l.Score),
			Instances:  make([]types.Instance, 0, len(l.Instances)),
			Parents:    make([]types.Parent, 0, len(l.Parents)),
			Aliases:    make([]types.LabelAlias, 0, len(l.Aliases)),
			Categories: make([]types.LabelCategory, 0, len(l.Categories)),
		}
		for _, i := range l.Instances {
			ti := types.Instance{BoundingBox: boundingBox(i.Box, a.Width, a.Height), Confidence: percent(i.Score)}
			if p.Properties {
				ti.DominantColors = dominantColors(i.Colors, p.MaxColors)
			}
			t.Instances = append(t.Instances, ti)
		}
		for _, name := range l.Parents {
			t.Parents = append(t.Parents, types.Parent{Name: aws.String(name)})
		}
		for _, name := range l.Aliases {
			t.Aliases = append(t.Aliases, types.LabelAlias{Name: aws.String(name)})
		}
		for _, name := range l.Categories {
			t.Categories = append(t.Categories, types.LabelCategory{Name: aws.String(name)})
		}
		out = append(out, t)
	}
	return out
}

// percent returns a score of 0 to 1 as a confidence of 0 to 100.
func percent(score float32) *float32 {
	return aws.Float32(min(max(score*100, 0), 100))
}

// boundingBox returns an xyxy box in pixels of a w×h image as left, top, width and
// height in fractions of it.
func boundingBox(b geom.Box, w, h int) *types.BoundingBox {
	x, y, bw, bh := b.XYWH()
	fw, fh := float32(max(w, 1)), float32(max(h, 1))
	return &types.BoundingBox{
		Left: aws.Float32(x / fw), Top: aws.Float32(y / fh),
		Width: aws.Float32(max(bw, 0) / fw), Height: aws.Float32(max(bh, 0) / fh),
	}
}
