package vertex_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	aiplatform "cloud.google.com/go/aiplatform/apiv1"
	pb "cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"trilobite"
	"trilobite/api/vertex"
	"trilobite/geom"
	"trilobite/server"
	"trilobite/serving"
	"trilobite/serving/servingtest"
	"trilobite/zoo"
)

const parent = "projects/p/locations/europe-west4"

// listen serves the models rgb, which segments, and tint, which classifies, as the whole
// server does, beside Vision's paths, and returns its address.
func listen(t *testing.T) string {
	t.Helper()
	models, _ := servingtest.Open(t, 0)
	h := vertex.New(vertex.Config{Models: models, Log: slog.New(slog.DiscardHandler)})
	s := server.New(server.Config{
		Vertex: server.API{Name: "vertex", Handler: h, Operation: vertex.Operation},
		Vision: server.API{Name: "vision", Handler: http.NotFoundHandler()},
		Log:    slog.New(slog.DiscardHandler),
	})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func plaintext(addr string) []option.ClientOption {
	return []option.ClientOption{option.WithEndpoint(addr), option.WithoutAuthentication(), option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials()))}
}

func value(t *testing.T, v any) *structpb.Value {
	t.Helper()
	out, err := structpb.NewValue(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func instance(t *testing.T, w, h int) any {
	t.Helper()
	return map[string]any{"content": base64.StdEncoding.EncodeToString(servingtest.Picture(t, w, h)), "mimeType": "image/png"}
}

// Google's own Go client, unmodified.
func TestClient(t *testing.T) {
	t.Parallel()
	addr := listen(t)
	c, err := aiplatform.NewPredictionClient(t.Context(), plaintext(addr)...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out, err := c.Predict(t.Context(), &pb.PredictRequest{
		Endpoint: parent + "/endpoints/tint", Instances: []*structpb.Value{value(t, instance(t, 32, 20)), value(t, instance(t, 64, 64))},
		Parameters: value(t, map[string]any{"maxPredictions": 2}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.GetModel() != parent+"/models/tint" || out.GetDeployedModelId() != "1" || out.GetModelVersionId() != "1" || out.GetModelDisplayName() != "Colours" || len(out.GetPredictions()) != 2 {
		t.Errorf("got %v", out)
	}
	first := out.GetPredictions()[0].GetStructValue().AsMap()
	// Half red (220, 20, 30), half blue (10, 20, 240): means 115, 20 and 135, less 127.5 and
	// through 63.75 −0.196, −1.686 and 0.118; their softmax is 0.387, 0.087 and 0.527.
	if diff := cmp.Diff(map[string]any{"ids": []any{"2", "0"}, "displayNames": []any{"blue", "red"}, "confidences": []any{0.527, 0.387}}, first,
		cmp.Comparer(func(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	e, err := aiplatform.NewEndpointClient(t.Context(), plaintext(addr)...)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	got, err := e.GetEndpoint(t.Context(), &pb.GetEndpointRequest{Name: parent + "/endpoints/tint"})
	if err != nil || len(got.GetDeployedModels()) != 1 || got.GetDeployedModels()[0].GetModel() != parent+"/models/tint" || got.GetTrafficSplit()["1"] != 100 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = c.Predict(t.Context(), &pb.PredictRequest{Endpoint: parent + "/endpoints/none", Instances: []*structpb.Value{value(t, instance(t, 2, 2))}})
	if status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), "Endpoint `"+parent+"/endpoints/none` is not found.") {
		t.Errorf("no such model: %v", err)
	}
	if _, err = c.RawPredict(t.Context(), &pb.RawPredictRequest{Endpoint: parent + "/endpoints/tint"}); status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "RawPredict is not offered") {
		t.Errorf("another method: %v", err)
	}
}

func post(t *testing.T, addr, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out.String()
}

func TestMasks(t *testing.T) {
	t.Parallel()
	addr := listen(t)
	asked, err := json.Marshal(instance(t, 32, 20))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, parameters string
		left, seam, right  uint8
	}{
		// On the left red scores 1.45, green −1.69 and blue −1.53: the softmax of red is 0.92. A
		// quarter of it beside three of the right's −1.84, −1.69 and 1.76 makes blue 0.82 sure at the seam.
		{"every pixel", `{"confidenceThreshold":0}`, 0, 2, 2},
		{"less than the default is background", `{}`, 0, 2, 2},
		{"what is less sure is background", `{"confidenceThreshold":0.9}`, 0, 3, 2},
		{"nothing is so sure", `{"confidenceThreshold":1}`, 3, 3, 3},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			code, body := post(t, addr, "/v1/"+parent+"/endpoints/rgb@1:predict", `{"instances":[`+string(asked)+`],"parameters":`+tt.parameters+`}`)
			var got struct {
				Predictions []struct{ CategoryMask, ConfidenceMask []byte }
				Model       string
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK || len(got.Predictions) != 1 || got.Model != parent+"/models/rgb" {
				t.Fatalf("%d %s %v", code, body, err)
			}
			classes := decode[*image.Paletted](t, got.Predictions[0].CategoryMask)
			sure := decode[*image.Gray](t, got.Predictions[0].ConfidenceMask)
			if classes.Rect.Size() != image.Pt(32, 20) || sure.Rect.Size() != image.Pt(32, 20) {
				t.Fatalf("sizes %v and %v", classes.Rect, sure.Rect)
			}
			if l, m, r := classes.ColorIndexAt(2, 10), classes.ColorIndexAt(16, 10), classes.ColorIndexAt(29, 10); l != tt.left || m != tt.seam || r != tt.right {
				t.Errorf("left %d, seam %d, right %d, want %d, %d and %d", l, m, r, tt.left, tt.seam, tt.right)
			}
			if s := sure.GrayAt(2, 10).Y; s < 228 || s > 242 {
				t.Errorf("the left is %d of 255 sure", s)
			}
			if tt.left == 3 {
				if r, g, b, _ := classes.At(2, 10).RGBA(); r+g+b != 0 {
					t.Error("background is not black")
				}
			}
		})
	}
}

func decode[T image.Image](t *testing.T, data []byte) T {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, ok := img.(T)
	if !ok {
		t.Fatalf("it is a %T", img)
	}
	return out
}

func TestErrors(t *testing.T) {
	t.Parallel()
	addr := listen(t)
	const one = `{"instances":[{"content":"YQ=="}]`
	for _, tt := range []struct {
		reason, name, body string
		code               int
		status, text       string
	}{
		{"no instances", "tint:predict", `{}`, 400, "INVALID_ARGUMENT", "0 elements"},
		{"too many", "tint:predict", `{"instances":[` + strings.Repeat(`{},`, 64) + `{}]}`, 400, "INVALID_ARGUMENT", "65 elements"},
		{"no image", "tint:predict", `{"instances":[{"content":"YQ=="},{"b64":"YQ=="}]}`, 400, "INVALID_ARGUMENT", "Instance 1: there is no image"},
		{"not an object", "tint:predict", `{"instances":["YQ=="]}`, 400, "INVALID_ARGUMENT", "Instance 0"},
		{"not base64", "tint:predict", `{"instances":[{"content":"%%"}]}`, 400, "INVALID_ARGUMENT", "not base64"},
		{"an unknown field", "tint:predict", `{"instances":[{"content":"YQ==","mime":"x"}]}`, 400, "INVALID_ARGUMENT", `\"mime\" is no field`},
		{"no image file", "tint:predict", one + `}`, 400, "INVALID_ARGUMENT", ""},
		{"a threshold in percent", "tint:predict", one + `,"parameters":{"confidenceThreshold":50}}`, 400, "INVALID_ARGUMENT", "0 to 1"},
		{"half a prediction", "tint:predict", one + `,"parameters":{"maxPredictions":0.5}}`, 400, "INVALID_ARGUMENT", "whole number"},
		{"an unknown parameter", "tint:predict", one + `,"parameters":{"top":5}}`, 400, "INVALID_ARGUMENT", `\"top\" is no parameter`},
		{"parameters that are a list", "tint:predict", one + `,"parameters":[1]}`, 400, "INVALID_ARGUMENT", "must be an object"},
		{"no such model", "none:predict", one + `}`, 404, "NOT_FOUND", "endpoints/none` is not found"},
		{"no such version", "tint@7:predict", one + `}`, 404, "NOT_FOUND", "endpoints/tint@7` is not found"},
		{"another verb", "tint:rawPredict", one + `}`, 501, "UNIMPLEMENTED", "rawPredict"},
		{"a path below", "tint/deployments", one + `}`, 404, "NOT_FOUND", "not found on this server"},
		{"broken JSON", "tint:predict", `{"instances":`, 400, "INVALID_ARGUMENT", "Invalid JSON payload"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			code, body := post(t, addr, "/v1/"+parent+"/endpoints/"+tt.name, tt.body)
			if code != tt.code || !strings.Contains(body, `"status": "`+tt.status+`"`) || !strings.Contains(body, tt.text) {
				t.Errorf("got %d %s, want %d %s with %q", code, body, tt.code, tt.status, tt.text)
			}
		})
	}
}

// boxes sees a cat in every image.
type boxes struct{ vertex.Models }

func (boxes) Look(context.Context, string, []byte, serving.Params) (*serving.Seen, error) {
	return &serving.Seen{Model: zoo.Model{Card: zoo.Card{Name: "cats", Version: 3}}, Width: 200, Height: 100, Objects: []trilobite.Detection{
		{Class: 15, Name: "cat", Score: 0.75, Box: geom.Box{X1: 50, Y1: 25, X2: 100, Y2: 75}},
	}}, nil
}

// xMin, xMax, yMin, yMax, as the schema file image_object_detection_1.0.0.yaml orders them.
func TestBoxes(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	vertex.New(vertex.Config{Models: boxes{}}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/"+parent+"/endpoints/cats:predict?prettyPrint=false", strings.NewReader(`{"instances":[{"content":"YQ=="}]}`)))
	want := `{"predictions":[{"bboxes":[[0.25,0.5,0.25,0.75]],"confidences":[0.75],"displayNames":["cat"],"ids":["15"]}],"deployedModelId":"3","model":"projects/p/locations/europe-west4/models/cats","modelVersionId":"3","modelDisplayName":"cats"}`
	if w.Body.String() != want {
		t.Errorf("got  %s\nwant %s", w.Body, want)
	}
}
