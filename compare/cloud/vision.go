package cloud

import (
	"context"
	"errors"
	"fmt"

	vision "cloud.google.com/go/vision/v2/apiv1"
	"cloud.google.com/go/vision/v2/apiv1/visionpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"trilobite/compare"
	"trilobite/imageio"
)

// mostLabels is how many labels Vision is asked for; its own default is 10.
const mostLabels = 50

// Vision asks BatchAnnotateImages for one feature: labels, or objects with their places.
type Vision struct {
	client  *vision.ImageAnnotatorClient
	feature visionpb.Feature_Type
	host    string
}

// NewVision returns an Asker over REST. Credentials are Google's application default ones,
// and none for another endpoint. No call is made.
func NewVision(ctx context.Context, o Options) (*Vision, error) {
	a := &Vision{feature: visionpb.Feature_LABEL_DETECTION, host: "vision.googleapis.com"}
	switch o.Task {
	case compare.Detect:
		a.feature = visionpb.Feature_OBJECT_LOCALIZATION
	case compare.Segment:
		return nil, &compare.MissingError{Why: "Google Vision names no pixels."}
	case compare.Classify:
	}
	var opts []option.ClientOption
	if o.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(o.Endpoint), option.WithoutAuthentication())
		a.host = host(o.Endpoint)
	}
	var err error
	if a.client, err = vision.NewImageAnnotatorRESTClient(ctx, opts...); err != nil {
		return nil, noGoogle(err)
	}
	a.client.CallOptions.BatchAnnotateImages = nil // package compare tries again, and counts
	return a, nil
}

// Host is where images go.
func (a *Vision) Host() string { return a.host }

// Source names the service, the feature and where it is.
func (a *Vision) Source() string { return "Vision " + a.feature.String() + " at " + a.host }

// Vocabulary is Google's: nobody knows all of it.
func (a *Vision) Vocabulary() []compare.Label { return nil }

// Close ends the connection.
func (a *Vision) Close() error { return a.client.Close() }

// Ask makes one call.
func (a *Vision) Ask(ctx context.Context, image []byte) (compare.Answer, error) {
	size, err := imageio.Probe(image)
	if err != nil {
		return compare.Answer{}, err
	}
	out, err := a.client.BatchAnnotateImages(ctx, &visionpb.BatchAnnotateImagesRequest{Requests: []*visionpb.AnnotateImageRequest{{
		Image: &visionpb.Image{Content: image}, Features: []*visionpb.Feature{{Type: a.feature, MaxResults: mostLabels}},
	}}})
	if err != nil {
		return compare.Answer{}, google("BatchAnnotateImages", err)
	}
	if len(out.GetResponses()) != 1 {
		return compare.Answer{}, fmt.Errorf("vision: %d answers for one image", len(out.GetResponses()))
	}
	r := out.GetResponses()[0]
	if e := r.GetError(); e.GetCode() != 0 {
		return compare.Answer{}, coded("BatchAnnotateImages", codes.Code(e.GetCode()), e.GetMessage(), errors.New(e.GetMessage()))
	}
	text, err := protojson.Marshal(r)
	if err != nil {
		return compare.Answer{}, err
	}
	answer := compare.Answer{Raw: text}
	for _, l := range r.GetLabelAnnotations() {
		answer.Labels = append(answer.Labels, compare.Label{Name: l.GetDescription(), Score: float64(l.GetScore())})
	}
	for _, o := range r.GetLocalizedObjectAnnotations() {
		label := compare.Label{Name: o.GetName(), Score: float64(o.GetScore())}
		if v := o.GetBoundingPoly().GetNormalizedVertices(); len(v) > 0 {
			x1, y1, x2, y2 := v[0].GetX(), v[0].GetY(), v[0].GetX(), v[0].GetY()
			for _, p := range v {
				x1, y1, x2, y2 = min(x1, p.GetX()), min(y1, p.GetY()), max(x2, p.GetX()), max(y2, p.GetY())
			}
			label.Box = fraction(float64(x1), float64(y1), float64(x2-x1), float64(y2-y1), size)
		}
		answer.Labels = append(answer.Labels, label)
	}
	return answer, nil
}

// noGoogle says what is missing where a client of Google's cannot be made.
func noGoogle(err error) error {
	return fmt.Errorf("there are no Google credentials: set GOOGLE_APPLICATION_CREDENTIALS or run gcloud auth application-default login, or leave the route out: %w", err)
}
