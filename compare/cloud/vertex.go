package cloud

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"

	aiplatform "cloud.google.com/go/aiplatform/apiv1"
	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"trilobite"
	"trilobite/compare"
	"trilobite/imageio"
)

// endpointRE is a Vertex endpoint's resource name.
var endpointRE = regexp.MustCompile(`\Aprojects/[^/]+/locations/([a-z0-9-]+)/endpoints/[^/]+\z`)

// Vertex asks a deployed AutoML image model for predictions.
type Vertex struct {
	client   *aiplatform.PredictionClient
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
	if o.Task == compare.Segment {
		return nil, &compare.MissingError{Why: "Segmentation endpoints of Vertex are not asked."}
	}
	a := &Vertex{task: o.Task, endpoint: endpoint, region: m[1], host: m[1] + "-aiplatform.googleapis.com"}
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

// Source names the endpoint.
func (a *Vertex) Source() string { return a.endpoint + " at " + a.host }

// Vocabulary is the model's: a prediction does not tell it.
func (a *Vertex) Vocabulary() []compare.Label { return nil }

// Close ends the connection.
func (a *Vertex) Close() error { return a.client.Close() }

// Ask makes one call. Instances and predictions have the shapes of Vertex' schema files
// predict/instance/image_*_1.0.0.yaml and predict/prediction/*: classification answers
// displayNames and confidences, detection bboxes as xMin, xMax, yMin, yMax as well.
func (a *Vertex) Ask(ctx context.Context, image []byte) (compare.Answer, error) {
	size, err := imageio.Probe(image)
	if err != nil {
		return compare.Answer{}, err
	}
	instance, err := structpb.NewValue(map[string]any{"content": base64.StdEncoding.EncodeToString(image), "mimeType": "image/" + size.Format})
	if err != nil {
		return compare.Answer{}, err
	}
	params, err := structpb.NewValue(map[string]any{"confidenceThreshold": leastPercent / 100.0, "maxPredictions": 100})
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
	labels, err := predicted(out.GetPredictions()[0].GetStructValue().GetFields(), a.task, size)
	return compare.Answer{Labels: labels, Raw: text}, err
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
