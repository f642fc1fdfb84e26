package cloud

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite"
	"trilobite/compare"
	"trilobite/geom"
	"trilobite/imageio"
)

// Rekognition asks DetectLabels, or DetectCustomLabels of a model.
type Rekognition struct {
	client *rekognition.Client
	task   compare.Task
	model  string // ARN of a project version; "": DetectLabels
	region string
	host   string
}

// lookTime is how long credentials are looked for: a machine that is none of Amazon's has
// no metadata service to answer.
const lookTime = 5 * time.Second

// NewRekognition returns an Asker. Credentials, region and endpoint are found as the SDK
// finds them, environment and files, where o does not name them. model is the ARN of a
// running Custom Labels model, or "" for DetectLabels. No call is made.
func NewRekognition(ctx context.Context, model string, o Options) (*Rekognition, error) {
	if o.Task == compare.Segment {
		return nil, &compare.MissingError{Why: "Rekognition names no pixels."}
	}
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(o.Region), config.WithRetryMaxAttempts(1))
	if err != nil {
		return nil, fmt.Errorf("reading AWS settings: %w", err)
	}
	if c.Region == "" {
		return nil, &trilobite.Error{Op: "cloud.NewRekognition", Code: trilobite.Invalid, Msg: "No AWS region is set: say --aws-region, or set AWS_REGION."}
	}
	soon, stop := context.WithTimeout(ctx, lookTime)
	defer stop()
	if _, err := c.Credentials.Retrieve(soon); err != nil {
		return nil, &trilobite.Error{Op: "cloud.NewRekognition", Code: trilobite.Unauthorized, Err: err,
			Msg: "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or leave the route out."}
	}
	client := rekognition.NewFromConfig(c, func(to *rekognition.Options) {
		if o.Endpoint != "" {
			to.BaseEndpoint = aws.String(o.Endpoint)
		}
	})
	at := "rekognition." + c.Region + ".amazonaws.com"
	if base := client.Options().BaseEndpoint; base != nil {
		at = host(*base)
	}
	return &Rekognition{client, o.Task, model, c.Region, at}, nil
}

// Host is where images go.
func (a *Rekognition) Host() string { return a.host }

// Region is the AWS region.
func (a *Rekognition) Region() string { return a.region }

// Source names the service, where it is, and the model.
func (a *Rekognition) Source() string {
	return cmp.Or(a.model, "Rekognition DetectLabels") + " at " + a.host
}

// Vocabulary is Amazon's: nobody knows all of it.
func (a *Rekognition) Vocabulary() []compare.Label { return nil }

// Close has nothing to give up.
func (a *Rekognition) Close() error { return nil }

// Ask makes one call.
func (a *Rekognition) Ask(ctx context.Context, image []byte) (compare.Answer, error) {
	size, err := imageio.Probe(image)
	if err != nil {
		return compare.Answer{}, err
	}
	if a.model != "" {
		return a.askCustom(ctx, image, size)
	}
	out, err := a.client.DetectLabels(ctx, &rekognition.DetectLabelsInput{Image: &types.Image{Bytes: image}, MinConfidence: aws.Float32(leastPercent)})
	if err != nil {
		return compare.Answer{}, amazon("DetectLabels", err)
	}
	answer := compare.Answer{Raw: raw(out)}
	for _, l := range out.Labels {
		label := compare.Label{Name: aws.ToString(l.Name), Score: float64(aws.ToFloat32(l.Confidence)) / 100}
		for _, p := range l.Parents {
			label.Parents = append(label.Parents, aws.ToString(p.Name))
		}
		for _, s := range l.Aliases {
			label.Aliases = append(label.Aliases, aws.ToString(s.Name))
		}
		if a.task != compare.Detect {
			answer.Labels = append(answer.Labels, label)
			continue
		}
		for _, in := range l.Instances {
			if b := in.BoundingBox; b != nil {
				one := label
				one.Score, one.Box = float64(aws.ToFloat32(in.Confidence))/100, amazonBox(b, size)
				answer.Labels = append(answer.Labels, one)
			}
		}
	}
	return answer, nil
}

func (a *Rekognition) askCustom(ctx context.Context, image []byte, size imageio.Header) (compare.Answer, error) {
	out, err := a.client.DetectCustomLabels(ctx, &rekognition.DetectCustomLabelsInput{
		ProjectVersionArn: aws.String(a.model), Image: &types.Image{Bytes: image}, MinConfidence: aws.Float32(0),
	})
	if err != nil {
		return compare.Answer{}, amazon("DetectCustomLabels", err)
	}
	answer := compare.Answer{Raw: raw(out)}
	for _, l := range out.CustomLabels {
		label := compare.Label{Name: aws.ToString(l.Name), Score: float64(aws.ToFloat32(l.Confidence)) / 100}
		if l.Geometry != nil && l.Geometry.BoundingBox != nil {
			label.Box = amazonBox(l.Geometry.BoundingBox, size)
		}
		answer.Labels = append(answer.Labels, label)
	}
	return answer, nil
}

func amazonBox(b *types.BoundingBox, size imageio.Header) *geom.Rect {
	return fraction(float64(aws.ToFloat32(b.Left)), float64(aws.ToFloat32(b.Top)), float64(aws.ToFloat32(b.Width)), float64(aws.ToFloat32(b.Height)), size)
}
