package native_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/api/native"
	"trilobite/geom"
)

// analyzer answers by the bytes it is given.
type analyzer struct {
	asked *trilobite.AnalyzeParams
}

func (a analyzer) Analyze(_ context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	if a.asked != nil {
		*a.asked = p
	}
	switch string(image) {
	case "bike":
		return &trilobite.Analysis{
			Width: 400, Height: 200, Version: "coco@1",
			Labels: []trilobite.Label{{
				Name: "Bicycle", Score: 0.875, Parents: []string{"Vehicle"}, Categories: []string{"Vehicles and Automotive"},
				Instances: []trilobite.Instance{{Score: 0.875, Box: geom.Box{X1: 1, Y1: 2, X2: 3.5, Y2: 4}}},
			}},
			Detections: []trilobite.Detection{{Name: "bicycle", Score: 0.875, Box: geom.Box{X1: 1, Y1: 2, X2: 3.5, Y2: 4}, Model: "coco"}},
			Properties: &trilobite.Properties{Region: trilobite.Region{
				Quality: trilobite.Quality{Brightness: 50, Sharpness: 25, Contrast: 75},
				Colors:  []trilobite.Color{{R: 255, G: 127, B: 80, CSS: "coral", Simplified: "orange", Fraction: 0.5, Score: 0.25}},
			}},
			CropHints: []trilobite.CropHint{{Box: geom.Box{X2: 200, Y2: 200}, Confidence: 0.5, Importance: 0.75}},
		}, nil
	case "nothing":
		return &trilobite.Analysis{Width: 1, Height: 1}, nil
	case "full":
		return nil, &trilobite.Error{Code: trilobite.Throttled, Msg: "Too many images at once."}
	case "bug":
		return nil, errors.New("secret path /etc")
	case "model":
		return nil, &trilobite.Error{Code: trilobite.NotFound, Msg: `No model "x" is loaded.`}
	}
	return nil, &trilobite.Error{Code: trilobite.InvalidImage, Msg: "The bytes are no image."}
}

type pages struct{}

func (pages) Fetch(_ context.Context, url string, _ int64) ([]byte, error) {
	if url == "https://example.com/bike.jpg" {
		return []byte("bike"), nil
	}
	return nil, &trilobite.Error{Code: trilobite.Unreachable, Msg: "The URL cannot be read."}
}

func handler(asked *trilobite.AnalyzeParams) *native.Handler {
	return native.New(native.Config{
		Analyzer: analyzer{asked}, Fetcher: pages{}, ImageBytes: 1000, Log: slog.New(slog.DiscardHandler),
	})
}

func do(h http.Handler, method, path, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func image(s string) string {
	return `{"image":"` + base64.StdEncoding.EncodeToString([]byte(s)) + `"}`
}

// form returns a multipart body and its Content-Type.
func form(t *testing.T, fields ...string) (string, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		var err error
		if fields[i] == "file" {
			w, e := m.CreateFormFile("file", "x.jpg")
			if e == nil {
				_, e = w.Write([]byte(fields[i+1]))
			}
			err = e
		} else {
			err = m.WriteField(fields[i], fields[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), m.FormDataContentType()
}

const (
	labelsJSON = `"labels":[{"name":"Bicycle","score":0.875,"parents":["Vehicle"],"aliases":[],"categories":["Vehicles and Automotive"],` +
		`"instances":[{"score":0.875,"box":[1,2,3.5,4]}]}]`
	detectionsJSON = `"detections":[{"label":"bicycle","score":0.875,"box":[1,2,3.5,4],"model":"coco"}]`
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	multi, multiKind := form(t, "file", "bike", "min_score", "0.25")
	for _, tc := range []struct{ name, path, kind, body, want string }{
		{"detect", "detect", "application/json", image("bike"), `{"width":400,"height":200,` + detectionsJSON + `,"version":"coco@1"}`},
		{"label", "label", "application/json", image("bike"), `{"width":400,"height":200,` + labelsJSON + `,"version":"coco@1"}`},
		{"both by default", "analyze", "application/json; charset=utf-8", image("bike"), `{"width":400,"height":200,` + labelsJSON + "," + detectionsJSON + `,"version":"coco@1"}`},
		{"a URL", "detect", "application/json", `{"url":"https://example.com/bike.jpg"}`, `{"width":400,"height":200,` + detectionsJSON + `,"version":"coco@1"}`},
		{"a form", "detect", multiKind, multi, `{"width":400,"height":200,` + detectionsJSON + `,"version":"coco@1"}`},
		{"plain bytes", "detect?min_score=0.1&max_labels=3", "image/jpeg", "bike", `{"width":400,"height":200,` + detectionsJSON + `,"version":"coco@1"}`},
		{"nothing seen is an empty list", "analyze", "application/json", image("nothing"), `{"width":1,"height":1,"labels":[],"detections":[]}`},
		{"properties and crops", "analyze?features=properties,crops", "application/octet-stream", "bike",
			`{"width":400,"height":200,"properties":{"brightness":50,"sharpness":25,"contrast":75,"colors":[{"hex":"#ff7f50","css":"coral","simplified":"orange","fraction":0.5,"score":0.25}]},` +
				`"crops":[{"box":[0,0,200,200],"confidence":0.5,"importance":0.75}],"version":"coco@1"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := do(handler(nil), "POST", "/api/v1/"+tc.path, tc.kind, tc.body)
			if diff := cmp.Diff(tc.want, strings.TrimSpace(w.Body.String())); w.Code != 200 || diff != "" {
				t.Errorf("got %d (-want +got):\n%s", w.Code, diff)
			}
		})
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	var got trilobite.AnalyzeParams
	body := `{"image":"YmlrZQ==","features":["labels","properties","crops"],"models":["coco"],"min_score":0.25,"max_labels":7,"max_colors":3,"crop_ratios":[1.5]}`
	want := trilobite.AnalyzeParams{
		Labels: true, Properties: true, MaxColors: 3, CropRatios: []float32{1.5}, MinScore: 0.25, MaxLabels: 7, Models: []string{"coco"},
	}
	if w := do(handler(&got), "POST", "/api/v1/analyze", "application/json", body); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	multi, kind := form(t, "features", "labels,properties", "features", "crops", "models", "coco", "min_score", "0.25",
		"max_labels", "7", "max_colors", "3", "crop_ratios", "1.5", "file", "bike")
	if w := do(handler(&got), "POST", "/api/v1/analyze", kind, multi); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
	if w := do(handler(&got), "POST", "/api/v1/label", "application/json", image("bike")); w.Code != 200 || got.MinScore != 0.5 || got.MaxColors != 10 {
		t.Errorf("defaults: got %d, %+v", w.Code, got)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	two, twoKind := form(t, "file", "bike", "file", "bike")
	long, longKind := form(t, "image", strings.Repeat("x", 5000))
	cut, cutKind := form(t, "file", "bike")
	big, bigKind := form(t, "file", strings.Repeat("x", 1001))
	for _, tc := range []struct {
		name, path, kind, body string
		want                   int
		code, text             string
	}{
		{"no image", "label", "application/json", "{}", 400, "invalid", "no image"},
		{"image and url", "label", "application/json", `{"image":"YQ==","url":"https://a"}`, 400, "invalid", "one of them"},
		{"no image data", "label", "application/json", image("text"), 422, "invalid_image", "no image"},
		{"truncated JSON", "label", "application/json", image("bike")[:12], 400, "invalid", "unexpected EOF"},
		{"two values", "label", "application/json", image("bike") + "{}", 400, "invalid", "more than one"},
		{"wrong base64", "label", "application/json", `{"image":"%%%"}`, 400, "invalid", "base64"},
		{"unknown field", "label", "application/json", `{"img":"YQ=="}`, 400, "invalid", `"img"`},
		{"wrong type", "label", "application/json", `{"image":"YQ==","max_labels":"` + strings.Repeat("9", 3000) + `"}`, 400, "invalid", "max_labels"},
		{"score above 1", "label", "application/json", `{"image":"YQ==","min_score":50}`, 400, "invalid", "min_score"},
		{"negative max_labels", "label", "application/json", `{"image":"YQ==","max_labels":-1}`, 400, "invalid", "max_labels"},
		{"too many colours", "label", "application/json", `{"image":"YQ==","max_colors":13}`, 400, "invalid", "max_colors"},
		{"crop ratio of zero", "analyze", "application/json", `{"image":"YQ==","crop_ratios":[0]}`, 400, "invalid", "crop_ratios"},
		{"unknown feature", "analyze", "application/json", `{"image":"YQ==","features":["faces"]}`, 400, "invalid", `"faces"`},
		{"features elsewhere", "label", "application/json", `{"image":"YQ==","features":["labels"]}`, 400, "invalid", "/analyze"},
		{"no type", "label", "", image("bike"), 400, "invalid", "Content-Type"},
		{"another type", "label", "text/plain", image("bike"), 400, "invalid", "Content-Type"},
		{"no boundary", "label", "multipart/form-data", cut, 400, "invalid", "boundary"},
		{"NaN", "label?min_score=NaN", "image/png", "bike", 400, "invalid", "min_score"},
		{"no number", "label?max_labels=many", "image/png", "bike", 400, "invalid", "max_labels"},
		{"unknown option", "label?max=1", "image/png", "bike", 400, "invalid", `"max"`},
		{"two files", "label", twoKind, two, 400, "invalid", "more than one file"},
		{"a long field", "label", longKind, long, 400, "invalid", "belongs into file"},
		{"a form cut short", "label", cutKind, cut[:len(cut)-20], 400, "invalid", "cut short"},
		{"a large file", "label", bigKind, big, 413, "image_too_large", "1000 bytes"},
		{"a large image", "label", "application/json", image(strings.Repeat("x", 1001)), 413, "image_too_large", "1000 bytes"},
		{"a large body", "label", "application/json", `{"image":"` + strings.Repeat("A", 2<<20), 413, "image_too_large", "1000 bytes"},
		{"throttled", "label", "application/json", image("full"), 429, "throttled", "at once"},
		{"no such model", "label", "application/json", image("model"), 404, "not_found", `"x"`},
		{"a URL that is down", "label", "application/json", `{"url":"https://example.com/none"}`, 502, "unreachable", "URL"},
		{"a bug is hidden", "label", "application/json", image("bug"), 500, "internal", "Internal error."},
		{"another path", "labels", "application/json", image("bike"), 404, "not_found", "openapi.json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := do(handler(nil), "POST", "/api/v1/"+tc.path, tc.kind, tc.body)
			var got struct {
				Type, Title, Detail string
				Status              int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != tc.want || got.Status != tc.want || got.Type != "urn:trilobite:error:"+tc.code || !strings.Contains(got.Detail, tc.text) || got.Title == "" {
				t.Errorf("got %d %+v\nwant %d %s with %q", w.Code, got, tc.want, tc.code, tc.text)
			}
			if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("got Content-Type %q", ct)
			}
			if tc.want == 429 && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if w.Body.Len() > 1000 {
				t.Errorf("an answer of %d bytes repeats the request", w.Body.Len())
			}
		})
	}
}

func TestURLsAreOffByDefault(t *testing.T) {
	t.Parallel()
	h := native.New(native.Config{Analyzer: analyzer{}})
	if w := do(h, "POST", "/api/v1/label", "application/json", `{"url":"http://169.254.169.254/"}`); w.Code != 403 {
		t.Errorf("got %d %s, want 403", w.Code, w.Body)
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w := do(withModels(t), "GET", "/api/v1/openapi.json", "", "")
	var doc struct {
		OpenAPI string
		Servers []struct{ URL string }
		Paths   map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Schema map[string]any }
			}
			Responses map[string]any
		}
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Required   []string
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || len(doc.Servers) != 1 || doc.Servers[0].URL != "/api/v1" {
		t.Errorf("got version %q, servers %v", doc.OpenAPI, doc.Servers)
	}
	for path, method := range map[string]string{
		"/detect": "post", "/label": "post", "/analyze": "post", "/models": "get", "/models/{name}": "get",
		"/models/{name}/classify": "post", "/models/{name}/detect": "post", "/models/{name}/segment": "post", "/models/{name}/predict": "post",
	} {
		op, ok := doc.Paths[path][method]
		if !ok {
			t.Errorf("no %s %s", method, path)
			continue
		}
		if _, ok := op.Responses["200"]; !ok {
			t.Errorf("%s has no answer", path)
		}
		for _, kind := range []string{"application/json", "multipart/form-data", "image/*"} {
			if _, ok := op.RequestBody.Content[kind]; method == "post" && !ok {
				t.Errorf("%s takes no %s", path, kind)
			}
		}
	}
	if diff := cmp.Diff([]string{"width", "height"}, doc.Components.Schemas["Answer"].Required); diff != "" {
		t.Errorf("required of Answer (-want +got):\n%s", diff)
	}
	if _, ok := doc.Components.Schemas["Request"].Properties["image"]; !ok {
		t.Error("Request has no image")
	}
	if bytes.Contains(w.Body.Bytes(), []byte("unpkg")) {
		t.Error("the document loads from elsewhere")
	}
}
