package native_test

import (
	"bytes"
	"encoding/json"
	"errors"
	goimage "image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/api/native"
	"trilobite/geom"
	"trilobite/serving/servingtest"
)

// withModels serves the models of servingtest.
func withModels(t *testing.T) *native.Handler {
	t.Helper()
	r, _ := servingtest.Open(t, 0)
	return native.New(native.Config{Analyzer: analyzer{}, Models: r, Log: slog.New(slog.DiscardHandler)})
}

// ask posts a PNG of 32×20 pixels, red on the left and blue on the right.
func ask(t *testing.T, h http.Handler, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/v1/models/"+path, bytes.NewReader(servingtest.Picture(t, 32, 20)))
	r.Header.Set("Content-Type", "image/png")
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d, %v in %s", w.Code, err, w.Body)
	}
	return v
}

func TestModels(t *testing.T) {
	t.Parallel()
	h := withModels(t)
	type listed struct{ Models []native.Model }
	all := decode[listed](t, do(h, "GET", "/api/v1/models", "", ""))
	if len(all.Models) != 2 || all.Models[0].Name != "rgb" || all.Models[0].State != "idle" || len(all.Models[0].Labels) != 3 {
		t.Errorf("listed %+v", all)
	}
	d := decode[native.Described](t, do(h, "GET", "/api/v1/models/tint@1", "", ""))
	want := native.Described{
		Model:  native.Model{Name: "tint", Version: "1", Title: "Colours", Task: "classify", State: "idle", Labels: []string{"red", "green", "blue"}, License: "none", Source: "test"},
		Inputs: []native.Tensor{{Name: "x", Type: "float32", Shape: []int64{-1, 3, 16, 16}}}, Outputs: []native.Tensor{{Name: "logits", Type: "float32", Shape: []int64{-1, 3}}},
		Figures: []native.Figure{},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("described (-want +got):\n%s", diff)
	}
	if m := decode[native.Model](t, do(h, "GET", "/api/v1/models/tint", "", "")); m.State != "ready" || m.Memory == 0 {
		t.Errorf("once described: %+v", m)
	}
	if m := decode[native.Model](t, do(h, "POST", "/api/v1/models/tint/unload", "", "")); m.State != "unloaded" || m.Memory != 0 {
		t.Errorf("unloaded: %+v", m)
	}
	if w := ask(t, h, "tint/classify", ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "load it first") {
		t.Errorf("an unloaded model answers %d %s", w.Code, w.Body)
	}
	if m := decode[native.Model](t, do(h, "POST", "/api/v1/models/tint/load", "", "")); m.State != "ready" {
		t.Errorf("loaded: %+v", m)
	}
}

func TestClassifyWithModel(t *testing.T) {
	t.Parallel()
	h := withModels(t)
	for _, verb := range []string{"classify", "predict"} {
		got := decode[native.Predicted](t, ask(t, h, "tint/"+verb+"?max_results=2", ""))
		if got.Model != "tint@1" || got.Width != 32 || got.Height != 20 || len(got.Classes) != 2 ||
			got.Classes[0].Label != "blue" || got.Classes[0].Index != 2 || got.Classes[1].Label != "red" {
			t.Errorf("%s: %+v", verb, got)
		}
	}
}

func TestSegmentWithModel(t *testing.T) {
	t.Parallel()
	h := withModels(t)
	got := decode[native.Predicted](t, ask(t, h, "rgb/segment?outputs=mask,confidence,overlay,polygons,rle&tolerance=0", "text/html;q=0.1, */*"))
	if len(got.Segments) != 2 || got.Segments[0].Label != "red" || got.Segments[1].Label != "blue" || got.Segments[0].Pixels != 320 || got.Segments[1].Share != 0.5 {
		t.Fatalf("segments %+v", got.Segments)
	}
	if diff := cmp.Diff([]native.Polygon{{Area: 320, Outer: [][2]float64{{0, 0}, {16, 0}, {16, 20}, {0, 20}}}}, got.Segments[0].Polygons); diff != "" {
		t.Errorf("polygons (-want +got):\n%s", diff)
	}
	r := got.Segments[1].RLE
	if r == nil || r.Size != [2]int{20, 32} {
		t.Fatalf("RLE %+v", r)
	}
	if runs, err := geom.ParseRLE(32, 20, r.Counts); err != nil || runs.Area() != 320 || runs.Bounds() != (geom.Rect{X: 16, W: 16, H: 20}) {
		t.Errorf("RLE %+v, %v", runs, err)
	}
	for name, data := range map[string][]byte{"mask": got.Mask, "confidence": got.Confidence, "overlay": got.Overlay} {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds().Dx() != 32 || img.Bounds().Dy() != 20 {
			t.Errorf("%s: %v", name, err)
		}
	}
	alone := ask(t, h, "rgb/segment", "image/png")
	if alone.Header().Get("Content-Type") != "image/png" || !bytes.Equal(alone.Body.Bytes(), got.Mask) {
		t.Errorf("the mask alone: %d %s", alone.Code, alone.Header())
	}
	img, err := png.Decode(alone.Body)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := img.(*goimage.Paletted); !ok || p.ColorIndexAt(0, 0) != 0 || p.ColorIndexAt(31, 19) != 2 || p.ColorModel().(color.Palette)[0] == nil {
		t.Errorf("a mask of %T", img)
	}
}

func TestSegmentAsForm(t *testing.T) {
	t.Parallel()
	w := ask(t, withModels(t), "rgb/predict?outputs=mask,overlay", "multipart/form-data")
	kind, params, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		t.Fatalf("%d %s: %v", w.Code, kind, err)
	}
	parts := map[string]string{}
	for form := multipart.NewReader(w.Body, params["boundary"]); ; {
		p, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		parts[p.FormName()] = p.Header.Get("Content-Type") + " " + p.FileName() + " " + string(data[:4])
	}
	want := map[string]string{"answer": "application/json  {\"mo", "mask": "image/png mask.png \x89PNG", "overlay": "image/png overlay.png \x89PNG"}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestModelErrors(t *testing.T) {
	t.Parallel()
	h := withModels(t)
	for _, tc := range []struct {
		name, path, accept string
		want               int
		text               string
	}{
		{"another task", "tint/segment", "", 501, "task classify"},
		{"no such model", "none/predict", "", 404, "none"},
		{"a path for a name", "..%2Frgb/predict", "", 404, "../rgb"},
		{"a version that is not there", "rgb@2/predict", "", 404, "rgb@2"},
		{"another verb", "rgb/paint", "", 404, "nothing here"},
		{"an unknown option", "rgb/predict?max=1", "", 400, `\"max\"`},
		{"an unknown output", "rgb/predict?outputs=gif", "", 400, `\"gif\"`},
		{"outputs of a classifier", "tint/predict?outputs=mask", "", 400, "masks"},
		{"a tolerance that is no number", "rgb/predict?tolerance=NaN", "", 400, "tolerance"},
		{"a score above 1", "tint/predict?min_score=2", "", 400, "min_score"},
		{"fewer than no results", "tint/predict?max_results=-1", "", 400, "max_results"},
		{"a form that there is not", "rgb/predict", "text/html", 400, "Accept"},
		{"no picture as PNG", "tint/predict", "image/png", 400, "one picture"},
		{"two pictures as PNG", "rgb/predict?outputs=mask,overlay", "image/png", 400, "has 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := ask(t, h, tc.path, tc.accept)
			if w.Code != tc.want || !strings.Contains(w.Body.String(), tc.text) || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s, want %d with %q", w.Code, w.Body, tc.want, tc.text)
			}
		})
	}
	if w := do(h, "POST", "/api/v1/models/rgb/predict", "image/png", "hello"); w.Code != 422 {
		t.Errorf("no image: %d %s", w.Code, w.Body)
	}
	if w := do(h, "POST", "/api/v1/models/rgb/predict", "application/json", `{"image":"YQ==","features":[]}`); w.Code != 400 || !strings.Contains(w.Body.String(), "features") {
		t.Errorf("an unknown field: %d %s", w.Code, w.Body)
	}
}
