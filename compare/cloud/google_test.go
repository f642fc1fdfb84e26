package cloud

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"trilobite"
	"trilobite/compare"
	"trilobite/dataset"
	"trilobite/geom"
)

var near = cmp.Comparer(func(a, b float64) bool { return a-b < 1e-5 && b-a < 1e-5 })

func TestVision(t *testing.T) {
	t.Parallel()
	s := vendor(t, http.StatusOK, `{"responses":[{"labelAnnotations":[{"description":"Dog","score":0.9}],
		"localizedObjectAnnotations":[{"name":"Cat","score":0.8,"boundingPoly":{"normalizedVertices":[{"x":0.25,"y":0.5},{"x":0.75,"y":0.5},{"x":0.75,"y":0.75},{"x":0.25,"y":0.75}]}}]}]}`)
	a, err := NewVision(t.Context(), Options{Task: compare.Detect, Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	got, err := a.Ask(t.Context(), picture(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []compare.Label{{Name: "Dog", Score: 0.9}, {Name: "Cat", Score: 0.8, Box: &geom.Rect{X: 50, Y: 50, W: 100, H: 25}}}
	if diff := cmp.Diff(want, got.Labels, near); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(string(got.Raw), "Cat") || a.Source() != "Vision OBJECT_LOCALIZATION at "+a.Host() {
		t.Errorf("kept %s of %s", got.Raw, a.Source())
	}
}

func TestVisionErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, body string
		status       int
		want         trilobite.Code
	}{
		{"an error of the image", `{"responses":[{"error":{"code":3,"message":"Bad image data."}}]}`, 200, trilobite.InvalidImage},
		{"too many calls", `{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`, 429, trilobite.Throttled},
		{"a key that is none: every call would fail so", `{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}`, 400, trilobite.Invalid},
		{"an image too large for a call", `{"error":{"code":400,"message":"Request payload size exceeds the limit: 10485760 bytes.","status":"INVALID_ARGUMENT"}}`, 400, trilobite.InvalidImage},
		{"no right to", `{"error":{"code":403,"message":"Billing is off","status":"PERMISSION_DENIED"}}`, 403, trilobite.Forbidden},
		{"an empty answer", `{}`, 200, trilobite.Internal},
	} {
		a, err := NewVision(t.Context(), Options{Task: compare.Classify, Endpoint: vendor(t, tt.status, tt.body).URL})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Ask(t.Context(), picture(t)); trilobite.CodeOf(err) != tt.want || err == nil {
			t.Errorf("%s: %v, want %s", tt.reason, err, tt.want)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// vertex is somebody else's cloud.
type vertex struct {
	aiplatformpb.UnimplementedPredictionServiceServer

	answer string // a prediction as JSON
	fail   error
	asked  *aiplatformpb.PredictRequest
}

func (v *vertex) Predict(_ context.Context, in *aiplatformpb.PredictRequest) (*aiplatformpb.PredictResponse, error) {
	v.asked = in
	p := &structpb.Value{}
	if err := p.UnmarshalJSON([]byte(v.answer)); err != nil {
		return nil, err
	}
	return &aiplatformpb.PredictResponse{Predictions: []*structpb.Value{p}, DeployedModelId: "7"}, v.fail
}

func serveVertex(t *testing.T, v *vertex) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	aiplatformpb.RegisterPredictionServiceServer(s, v)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

const endpoint = "projects/p/locations/europe-west4/endpoints/42"

func TestVertex(t *testing.T) {
	t.Parallel()
	v := &vertex{answer: `{"ids":["1"],"displayNames":["sushi"],"confidences":[0.75],"bboxes":[[0.25,0.75,0.5,0.75]]}`}
	addr := serveVertex(t, v)
	for task, want := range map[compare.Task][]compare.Label{
		compare.Classify: {{Name: "sushi", Score: 0.75}},
		compare.Detect:   {{Name: "sushi", Score: 0.75, Box: &geom.Rect{X: 50, Y: 50, W: 100, H: 25}}},
	} {
		a, err := NewVertex(t.Context(), endpoint, Options{Task: task, Endpoint: addr})
		if err != nil {
			t.Fatal(err)
		}
		image := picture(t)
		got, err := a.Ask(t.Context(), image)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Labels, near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", task, diff)
		}
		f := v.asked.GetInstances()[0].GetStructValue().GetFields()
		if v.asked.GetEndpoint() != endpoint || f["content"].GetStringValue() != base64.StdEncoding.EncodeToString(image) || f["mimeType"].GetStringValue() != "image/png" {
			t.Errorf("asked %v", v.asked)
		}
		if !strings.Contains(string(got.Raw), "deployedModelId") || a.Region() != "europe-west4" {
			t.Errorf("kept %s, region %s", got.Raw, a.Region())
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestVertexErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		v      *vertex
		want   trilobite.Code
	}{
		{"too many calls", &vertex{answer: "{}", fail: status.Error(codes.ResourceExhausted, "slow down")}, trilobite.Throttled},
		{"nothing is deployed", &vertex{answer: "{}", fail: status.Error(codes.FailedPrecondition, "no model")}, trilobite.NotReady},
		{"lists that do not go together", &vertex{answer: `{"displayNames":["a"],"confidences":[]}`}, trilobite.Internal},
		{"a box of three numbers", &vertex{answer: `{"displayNames":["a"],"confidences":[1],"bboxes":[[0,1,0]]}`}, trilobite.Internal},
	} {
		a, err := NewVertex(t.Context(), endpoint, Options{Task: compare.Detect, Endpoint: serveVertex(t, tt.v)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Ask(t.Context(), picture(t)); err == nil || trilobite.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.reason, err, tt.want)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := NewVertex(t.Context(), "endpoints/42", Options{Task: compare.Detect}); trilobite.CodeOf(err) != trilobite.Invalid {
		t.Errorf("a short name: %v", err)
	}
}

// Masks by number and by colour, as the table says.
func TestVertexMasks(t *testing.T) {
	t.Parallel()
	two := image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{color.Black, color.RGBA{128, 64, 128, 255}})
	two.Pix[1] = 1
	var file bytes.Buffer
	if err := png.Encode(&file, two); err != nil {
		t.Fatal(err)
	}
	mask := base64.StdEncoding.EncodeToString(file.Bytes())
	numbers := &dataset.Set{Classes: []string{"sky", "road"}, Ignore: dataset.NoIgnore}
	colours := &dataset.Set{Classes: []string{"road", "none"}, Ignore: dataset.NoIgnore, Colors: map[[3]uint8]int{{128, 64, 128}: 0, {0, 0, 0}: 1}}
	for _, tt := range []struct {
		reason, answer string
		pixels         *dataset.Set
		want           []uint8
		failed         string
	}{
		{"numbers", `{"categoryMask":"` + mask + `"}`, numbers, []uint8{0, 1}, ""},
		{"colours", `{"categoryMask":"` + mask + `"}`, colours, []uint8{1, 0}, ""},
		{"a number of no class", `{"categoryMask":"` + mask + `"}`, &dataset.Set{Classes: []string{"sky"}, Ignore: dataset.NoIgnore}, nil, "--vertex-classes"},
		{"no mask", `{"displayNames":["a"],"confidences":[1]}`, numbers, nil, "does not segment"},
		{"no base64", `{"categoryMask":"%"}`, numbers, nil, "categoryMask"},
	} {
		v := &vertex{answer: tt.answer}
		a, err := NewVertex(t.Context(), endpoint, Options{Task: compare.Segment, Endpoint: serveVertex(t, v), Pixels: tt.pixels})
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Ask(t.Context(), picture(t))
		if tt.failed != "" {
			if err == nil || !strings.Contains(err.Error(), tt.failed) {
				t.Errorf("%s: %v, want %q", tt.reason, err, tt.failed)
			}
		} else if img, decodeErr := png.Decode(bytes.NewReader(got.Mask)); err != nil || decodeErr != nil || !cmp.Equal(img.(*image.Paletted).Pix, tt.want) {
			t.Errorf("%s: %v, %v, %v", tt.reason, img, err, decodeErr)
		} else if a.Vocabulary()[tt.want[0]].Name != tt.pixels.Classes[tt.want[0]] || v.asked.GetParameters().GetStructValue().GetFields()["confidenceThreshold"].GetNumberValue() != 0 {
			t.Errorf("%s: %v asked with %v", tt.reason, a.Vocabulary(), v.asked.GetParameters())
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
