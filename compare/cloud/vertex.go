package cloud

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	aiplatform "cloud.google.com/go/aiplatform/apiv1"
	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"trilobite"
	"trilobite/compare"
	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/imageio"
)

// endpointRE is a Vertex endpoint's resource name.
var endpointRE = regexp.MustCompile(`\Aprojects/[^/]+/locations/([a-z0-9-]+)/endpoints/[^/]+\z`)

// Vertex asks a deployed AutoML image model for predictions.
type Vertex struct {
	client   *aiplatform.PredictionClient
	pixels   *dataset.Set // of segmentation
	task     compare.Task
	endpoint string
	region   string
	host     string
}

// NewVertex returns an Asker for an endpoint, projects/P/locations/L/endpoints/E, over
// gRPC. Credentials are Google's application default ones, and none for another address.
// No call is made.
func NewVertex(ctx context.Context, endpoint string, o Options) (*Vertex, error) {
	m := endpointRE.FindStringSubmatch(endpoint)
	if m == nil {
		return nil, &trilobite.Error{Op: "cloud.NewVertex", Code: trilobite.Invalid, Msg: fmt.Sprintf("%.200q names no Vertex endpoint: it is projects/PROJECT/locations/REGION/endpoints/ID.", endpoint)}
	}
	if o.Task == compare.Segment && o.Pixels == nil {
		return nil, errors.New("cloud.NewVertex: nothing says what the pixels of masks mean")
	}
	a := &Vertex{task: o.Task, pixels: o.Pixels, endpoint: endpoint, region: m[1], host: m[1] + "-aiplatform.googleapis.com"}
	opts := []option.ClientOption{option.WithEndpoint(a.host + ":443")}
	if o.Endpoint != "" {
		a.host = host(o.Endpoint)
		opts = []option.ClientOption{option.WithEndpoint(a.host), option.WithoutAuthentication()}
		if local(a.host) {
			opts = append(opts, option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
		}
	}
	var err error
	if a.client, err = aiplatform.NewPredictionClient(ctx, opts...); err != nil {
		return nil, noGoogle(err)
	}
	a.client.CallOptions.Predict = nil // package compare tries again, and counts
	return a, nil
}

// Host is where images go.
func (a *Vertex) Host() string { return a.host }

// Region is the endpoint's location.
func (a *Vertex) Region() string { return a.region }

// Source names the endpoint, and what its masks are read by.
func (a *Vertex) Source() string {
	if a.task != compare.Segment {
		return a.endpoint + " at " + a.host
	}
	return fmt.Sprintf("%s at %s, pixels %v %v %v", a.endpoint, a.host, a.pixels.Classes, a.pixels.Values, a.pixels.Colors)
}

// Vocabulary is the model's: a prediction does not tell it. Of masks it is what their pixels
// are said to mean.
func (a *Vertex) Vocabulary() []compare.Label {
	if a.task != compare.Segment {
		return nil
	}
	out := make([]compare.Label, len(a.pixels.Classes))
	for i, name := range a.pixels.Classes {
		out[i].Name = name
	}
	return out
}

// Close ends the connection.
func (a *Vertex) Close() error { return a.client.Close() }

// Ask makes one call. Instances and predictions have the shapes of Vertex' schema files
// predict/instance/image_*_1.0.0.yaml and predict/prediction/*: classification answers
// displayNames and confidences, detection bboxes as xMin, xMax, yMin, yMax as well,
// segmentation categoryMask. Of every pixel the surest class is asked for, as of the other
// routes: without confidenceThreshold the unsure ones are background.
func (a *Vertex) Ask(ctx context.Context, image []byte) (compare.Answer, error) {
	size, err := imageio.Probe(image)
	if err != nil {
		return compare.Answer{}, err
	}
	instance, err := structpb.NewValue(map[string]any{"content": base64.StdEncoding.EncodeToString(image), "mimeType": "image/" + size.Format})
	if err != nil {
		return compare.Answer{}, err
	}
	asked := map[string]any{"confidenceThreshold": leastPercent / 100.0, "maxPredictions": 100}
	if a.task == compare.Segment {
		asked = map[string]any{"confidenceThreshold": 0}
	}
	params, err := structpb.NewValue(asked)
	if err != nil {
		return compare.Answer{}, err
	}
	out, err := a.client.Predict(ctx, &aiplatformpb.PredictRequest{Endpoint: a.endpoint, Instances: []*structpb.Value{instance}, Parameters: params})
	if err != nil {
		return compare.Answer{}, google("Predict", err)
	}
	text, err := protojson.Marshal(out)
	if err != nil {
		return compare.Answer{}, err
	}
	if len(out.GetPredictions()) != 1 {
		return compare.Answer{}, fmt.Errorf("predict: %d predictions for one image", len(out.GetPredictions()))
	}
	fields := out.GetPredictions()[0].GetStructValue().GetFields()
	if a.task == compare.Segment {
		mask, err := a.mask(fields["categoryMask"].GetStringValue())
		return compare.Answer{Mask: mask, Raw: text}, err
	}
	labels, err := predicted(fields, a.task, size)
	return compare.Answer{Labels: labels, Raw: text}, err
}

// mask reads a category mask, a picture in base64, by what its pixels are said to mean.
func (a *Vertex) mask(text string) ([]byte, error) {
	if text == "" {
		return nil, errors.New("predict: the prediction has no categoryMask: the endpoint's model does not segment")
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("predict: categoryMask: %w", err)
	}
	m, err := masks.Decode(data, a.pixels)
	if err != nil {
		return nil, fmt.Errorf("predict: categoryMask: %w of %s; a table of them says what they mean (--vertex-classes)", err, strings.Join(a.pixels.Classes, ", "))
	}
	return m.Encode()
}

// predicted reads a prediction.
func predicted(p map[string]*structpb.Value, task compare.Task, size imageio.Header) ([]compare.Label, error) {
	names, scores, boxes := p["displayNames"].GetListValue().GetValues(), p["confidences"].GetListValue().GetValues(), p["bboxes"].GetListValue().GetValues()
	if len(names) != len(scores) || task == compare.Detect && len(boxes) != len(names) {
		return nil, fmt.Errorf("predict: %d names, %d confidences and %d boxes do not go together", len(names), len(scores), len(boxes))
	}
	out := make([]compare.Label, len(names))
	for i := range names {
		out[i] = compare.Label{Name: names[i].GetStringValue(), Score: scores[i].GetNumberValue()}
		if task != compare.Detect {
			continue
		}
		b := boxes[i].GetListValue().GetValues()
		if len(b) != 4 {
			return nil, fmt.Errorf("predict: a box has %d numbers, want 4", len(b))
		}
		x1, x2, y1, y2 := b[0].GetNumberValue(), b[1].GetNumberValue(), b[2].GetNumberValue(), b[3].GetNumberValue()
		out[i].Box = fraction(x1, y1, x2-x1, y2-y1, size)
	}
	return out, nil
}
