package cloud

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/compare"
	"trilobite/geom"
)

// picture is a PNG of 200×100 pixels.
func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 200, 100))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// vendor is somebody else's cloud: it answers every call alike.
func vendor(t *testing.T, status int, body string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestRekognition(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	s := vendor(t, http.StatusOK, `{"Labels":[{"Name":"Dog","Confidence":97.5,"Parents":[{"Name":"Animal"}],"Aliases":[{"Name":"Puppy"}],
		"Instances":[{"Confidence":90,"BoundingBox":{"Left":0.25,"Top":0.5,"Width":0.5,"Height":0.25}}]},{"Name":"Grass","Confidence":50}],"LabelModelVersion":"3.0"}`)
	for task, want := range map[compare.Task][]compare.Label{
		compare.Classify: {{Name: "Dog", Score: 0.975, Parents: []string{"Animal"}, Aliases: []string{"Puppy"}}, {Name: "Grass", Score: 0.5}},
		compare.Detect:   {{Name: "Dog", Score: 0.9, Parents: []string{"Animal"}, Aliases: []string{"Puppy"}, Box: &geom.Rect{X: 50, Y: 50, W: 100, H: 25}}},
	} {
		a, err := NewRekognition(t.Context(), "", Options{Task: task, Region: "eu-central-1", Endpoint: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Ask(t.Context(), picture(t))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Labels, cmp.Comparer(func(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", task, diff)
		}
		if !strings.Contains(string(got.Raw), `"LabelModelVersion":"3.0"`) {
			t.Errorf("kept: %s", got.Raw)
		}
		if a.Host() != strings.TrimPrefix(s.URL, "http://") || a.Region() != "eu-central-1" {
			t.Errorf("it is at %s, %s", a.Host(), a.Region())
		}
	}
	if _, err := NewRekognition(t.Context(), "", Options{Task: compare.Segment}); err == nil || !strings.Contains(err.Error(), "no pixels") {
		t.Errorf("segmentation: %v", err)
	}
}

func TestRekognitionErrors(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for _, tt := range []struct {
		status int
		kind   string
		want   trilobite.Code
		hint   string
	}{
		{400, "ProvisionedThroughputExceededException", trilobite.Throttled, "why"},
		{500, "InternalServerError", trilobite.Throttled, "why"},
		{400, "InvalidImageFormatException", trilobite.InvalidImage, "why"},
		{400, "ImageTooLargeException", trilobite.ImageTooLarge, "why"},
		{400, "AccessDeniedException", trilobite.Forbidden, "why Allow these credentials rekognition:DetectCustomLabels."},
		{400, "UnrecognizedClientException", trilobite.Unauthorized, "AWS_PROFILE"},
		{400, "ResourceNotReadyException", trilobite.NotReady, "StartProjectVersion"},
		{400, "InvalidParameterException", trilobite.Invalid, "why"},
	} {
		s := vendor(t, tt.status, `{"__type":"`+tt.kind+`","Message":"why"}`)
		a, err := NewRekognition(t.Context(), "arn:aws:rekognition:eu-central-1:111122223333:project/p/version/v/1700000000123", Options{Region: "eu-central-1", Endpoint: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Ask(t.Context(), picture(t))
		if trilobite.CodeOf(err) != tt.want || !strings.Contains(trilobite.Message(err), tt.hint) {
			t.Errorf("%s: %v, want %s and %q", tt.kind, err, tt.want, tt.hint)
		}
	}
}

func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	if _, err := NewRekognition(t.Context(), "", Options{Region: "eu-central-1"}); trilobite.CodeOf(err) != trilobite.Unauthorized {
		t.Errorf("without credentials: %v", err)
	}
}
