package rekognition

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"trilobite"
	"trilobite/auth"
	"trilobite/geom"
)

// analyzer answers what a test says and remembers what it was asked.
type analyzer struct {
	analysis *trilobite.Analysis
	err      error
	asked    *trilobite.AnalyzeParams
}

func (a *analyzer) Analyze(_ context.Context, _ []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	a.asked = &p
	return a.analysis, a.err
}

// buckets serves the objects of account 000000000000 by "bucket/key".
type buckets map[string][]byte

func (b buckets) Read(_ context.Context, account, bucket, key, version string, limit int64) ([]byte, error) {
	data, ok := b[bucket+"/"+key]
	if !ok || account != auth.DefaultAccount || version != "" {
		return nil, &trilobite.Error{Code: trilobite.Unreachable, Msg: "No such object."}
	}
	if int64(len(data)) > limit {
		return nil, &trilobite.Error{Code: trilobite.ImageTooLarge, Msg: "The object is too large."}
	}
	return data, nil
}

// png returns the start of a PNG file of w×h pixels: all that the API itself reads.
func png(w, h uint32) []byte {
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, "IHDR"...)
	b = binary.BigEndian.AppendUint32(b, w)
	return binary.BigEndian.AppendUint32(b, h)
}

// jpeg returns the start of a JPEG file of w×h pixels, with an Exif segment before the
// frame header.
func jpeg(w, h uint16) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xc0, 0xff, 0xff, 0xc2, 0, 11, 8}
	b = binary.BigEndian.AppendUint16(b, h)
	return binary.BigEndian.AppendUint16(b, w)
}

func bytesOf(data []byte) string {
	return `{"Bytes":"` + base64.StdEncoding.EncodeToString(data) + `"}`
}

func newServer(a Analyzer) *Server {
	return New(Config{
		Analyzer: a, Auth: auth.Off(), Version: "1.2.3",
		Objects: buckets{"photos/cat.png": png(640, 480), "photos/huge.png": make([]byte, maxObject+1)},
		Log:     slog.New(slog.DiscardHandler),
	})
}

func post(s http.Handler, target, body string) *http.Response {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

const detectLabelsTarget = "RekognitionService.DetectLabels"

func TestErrors(t *testing.T) {
	t.Parallel()
	ok := bytesOf(png(640, 480))
	fail := func(c trilobite.Code, msg string) *analyzer {
		return &analyzer{err: fmt.Errorf("analysing: %w", &trilobite.Error{Op: "test", Code: c, Msg: msg, Err: io.EOF})}
	}
	tests := []struct {
		name, target, body string
		analyzer           *analyzer
		status             int
		exception, message string // message: a part of it
	}{
		{"no target", "", `{}`, nil, 400, "UnknownOperationException", "no X-Amz-Target"},
		{"another service's target", "DynamoDB_20120810.GetItem", `{}`, nil, 400, "UnknownOperationException", `"DynamoDB_20120810.GetItem"`},
		{"no such operation", "RekognitionService.Nope", `{}`, nil, 400, "UnknownOperationException", `"RekognitionService.Nope"`},
		{"operation that is not offered", "RekognitionService.GetPersonTracking", `{}`, nil, 400, "UnknownOperationException", "Trilobite 1.2.3 does not offer the operation GetPersonTracking."},
		{"truncated body", detectLabelsTarget, `{"Image":`, nil, 400, "SerializationException", "ends inside"},
		{"empty body", detectLabelsTarget, ``, nil, 400, "SerializationException", "ends inside"},
		{"wrong type", detectLabelsTarget, `{"MinConfidence":"55"}`, nil, 400, "SerializationException", "can not be converted"},
		{"wrong base64", detectLabelsTarget, `{"Image":{"Bytes":"*"}}`, nil, 400, "SerializationException", "not base64"},
		{"no image", detectLabelsTarget, `{}`, nil, 400, "ValidationException", "1 validation error detected: Value null at 'image' failed to satisfy constraint: Member must not be null"},
		{"empty image", detectLabelsTarget, `{"Image":{"Bytes":""}}`, nil, 400, "ValidationException", "at 'image.bytes' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"bytes over 5 MiB", detectLabelsTarget, `{"Image":` + bytesOf(make([]byte, 5242881)) + `}`, nil, 400, "ValidationException", "at 'image.bytes' failed to satisfy constraint: Member must have length less than or equal to 5242880"},
		{"body over 10 MiB", detectLabelsTarget, `{"Image":` + bytesOf(make([]byte, 8<<20)) + `}`, nil, 413, "RequestEntityTooLargeException", "10 MiB"},
		{"confidence over 100", detectLabelsTarget, `{"MinConfidence":101,"Image":` + ok + `}`, nil, 400, "ValidationException", "1 validation error detected: Value '101' at 'minConfidence' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"neither bytes nor object", detectLabelsTarget, `{"Image":{}}`, nil, 400, "InvalidParameterException", "Request has invalid parameters"},
		{"both bytes and object", detectLabelsTarget, `{"Image":{"Bytes":"YQ==","S3Object":{"Bucket":"photos","Name":"cat.png"}}}`, nil, 400, "InvalidParameterException", "Request has invalid parameters"},
		{"object without a name", detectLabelsTarget, `{"Image":{"S3Object":{"Bucket":"photos"}}}`, nil, 400, "InvalidParameterException", "Request has invalid parameters"},
		{"no such object", detectLabelsTarget, `{"Image":{"S3Object":{"Bucket":"photos","Name":"dog.png"}}}`, nil, 400, "InvalidS3ObjectException", "Unable to get object metadata from S3. Check object key, region and/or access permissions."},
		{"object over 15 MiB", detectLabelsTarget, `{"Image":{"S3Object":{"Bucket":"photos","Name":"huge.png"}}}`, nil, 400, "ImageTooLargeException", "Image size is too large"},
		{"a format that is not taken", detectLabelsTarget, `{"Image":` + bytesOf([]byte("GIF89a")) + `}`, nil, 400, "InvalidImageFormatException", "Request has invalid image format"},
		{"side over 10000", detectLabelsTarget, `{"Image":` + bytesOf(png(10800, 5400)) + `}`, nil, 400, "ImageTooLargeException", "Input image dimensions 10800 x 5400 exceed maximum dimension size of 10000 pixels"},
		{"side below 80", detectLabelsTarget, `{"Image":` + bytesOf(jpeg(640, 79)) + `}`, nil, 400, "InvalidParameterException", "Request has invalid parameters"},
		{"settings of a feature not asked for", detectLabelsTarget, `{"Image":` + ok + `,"Settings":{"ImageProperties":{"MaxDominantColors":3}}}`, nil, 400, "InvalidParameterException", "Request has invalid parameters"},
		{"label filters without labels", detectLabelsTarget, `{"Image":` + ok + `,"Features":["IMAGE_PROPERTIES"],"Settings":{"GeneralLabels":{}}}`, nil, 400, "InvalidParameterException", "Request has invalid parameters"},
		{"undecodable", detectLabelsTarget, `{"Image":` + ok + `}`, fail(trilobite.InvalidImage, "x"), 400, "InvalidImageFormatException", "Request has invalid image format"},
		{"too many pixels", detectLabelsTarget, `{"Image":` + ok + `}`, fail(trilobite.ImageTooLarge, "Too many pixels."), 400, "ImageTooLargeException", "Too many pixels."},
		{"queue full", detectLabelsTarget, `{"Image":` + ok + `}`, fail(trilobite.Throttled, "The queue is full."), 400, "ThrottlingException", "The queue is full."},
		{"forbidden", detectLabelsTarget, `{"Image":` + ok + `}`, fail(trilobite.Forbidden, "No."), 400, "AccessDeniedException", "No."},
		{"out of time", detectLabelsTarget, `{"Image":` + ok + `}`, &analyzer{err: context.DeadlineExceeded}, 500, "ThrottlingException", "Service Unavailable"},
		{"a bug hides its text", detectLabelsTarget, `{"Image":` + ok + `}`, &analyzer{err: io.ErrUnexpectedEOF}, 500, "InternalServerError", "Internal server error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := tt.analyzer
			if a == nil {
				a = &analyzer{}
			}
			res := post(newServer(a), tt.target, tt.body)
			var body struct {
				Type                  string `json:"__type"`
				Code, Logref, Message string
			}
			if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.status || body.Type != tt.exception || body.Code != tt.exception || res.Header.Get("X-Amzn-Errortype") != tt.exception {
				t.Errorf("got %d %+v, want %d %s", res.StatusCode, body, tt.status, tt.exception)
			}
			if !strings.Contains(body.Message, tt.message) {
				t.Errorf("got message %q, want %q in it", body.Message, tt.message)
			}
			id := res.Header.Get("X-Amzn-Requestid")
			if _, err := uuid.Parse(id); err != nil || id != body.Logref {
				t.Errorf("request id %q (Logref %q): %v", id, body.Logref, err)
			}
			if ct := res.Header.Get("Content-Type"); ct != "application/x-amz-json-1.1" {
				t.Errorf("content type %q", ct)
			}
			if tt.analyzer == nil && a.asked != nil {
				t.Error("the request reached the analyser")
			}
		})
	}
}

func TestOnlyPost(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newServer(&analyzer{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

// bicycle is an analysis with everything in it.
func bicycle() *trilobite.Analysis {
	red := trilobite.Color{R: 255, CSS: "red", Simplified: "red", Fraction: 0.75, Score: 1}
	navy := trilobite.Color{B: 128, CSS: "navy", Simplified: "blue", Fraction: 0.25}
	return &trilobite.Analysis{
		Width: 640, Height: 480, Version: "coco-ssd 1",
		Labels: []trilobite.Label{
			{
				Name: "Bicycle", Score: 0.875, Parents: []string{"Vehicle", "Transportation"}, Aliases: []string{"Bike"},
				Categories: []string{"Vehicles and Automotive"},
				Instances:  []trilobite.Instance{{Box: geom.Box{X1: 160, Y1: 120, X2: 480, Y2: 360}, Score: 0.75, Colors: []trilobite.Color{red, navy}}},
			},
			{Name: "Transportation", Score: 0.5},
		},
		Properties: &trilobite.Properties{
			Region:     trilobite.Region{Quality: trilobite.Quality{Brightness: 50, Sharpness: 60, Contrast: 70}, Colors: []trilobite.Color{red, navy}},
			Background: &trilobite.Region{Quality: trilobite.Quality{Brightness: 51}},
		},
	}
}

func TestDetectLabelsAnswer(t *testing.T) {
	t.Parallel()
	const (
		red     = `{"Blue":0,"CSSColor":"red","Green":0,"HexCode":"#ff0000","PixelPercent":75,"Red":255,"SimplifiedColor":"red"}`
		navy    = `{"Blue":128,"CSSColor":"navy","Green":0,"HexCode":"#000080","PixelPercent":25,"Red":0,"SimplifiedColor":"blue"}`
		box     = `{"BoundingBox":{"Height":0.5,"Left":0.25,"Top":0.25,"Width":0.5},"Confidence":75`
		bike    = `{"Aliases":[{"Name":"Bike"}],"Categories":[{"Name":"Vehicles and Automotive"}],"Confidence":87.5,"Instances":[%s}],"Name":"Bicycle","Parents":[{"Name":"Vehicle"},{"Name":"Transportation"}]}`
		transp  = `{"Aliases":[],"Categories":[],"Confidence":50,"Instances":[],"Name":"Transportation","Parents":[]}`
		version = `"LabelModelVersion":"coco-ssd 1"`
		props   = `"ImageProperties":{"Background":{"DominantColors":[],"Quality":{"Brightness":51,"Sharpness":0}},"DominantColors":[%s],"Quality":{"Brightness":50,"Contrast":70,"Sharpness":60}}`
	)
	tests := []struct {
		name, members, want string
	}{
		{"labels by default", ``, `{` + version + `,"Labels":[` + fmt.Sprintf(bike, box) + `,` + transp + `]}`},
		{"MaxLabels", `,"MaxLabels":1`, `{` + version + `,"Labels":[` + fmt.Sprintf(bike, box) + `]}`},
		{"MaxLabels of 0 is none", `,"MaxLabels":0`, `{` + version + `,"Labels":[]}`},
		{"properties alone", `,"Features":["IMAGE_PROPERTIES"],"MinConfidence":1`, `{` + fmt.Sprintf(props, red+","+navy) + `,` + version + `,"Labels":[]}`},
		{
			"both, with a colour each", `,"Features":["IMAGE_PROPERTIES","GENERAL_LABELS"],"Settings":{"ImageProperties":{"MaxDominantColors":1}}`,
			`{` + fmt.Sprintf(props, red) + `,` + version + `,"Labels":[` + fmt.Sprintf(bike, box+`,"DominantColors":[`+red+`]`) + `,` + transp + `]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := post(newServer(&analyzer{analysis: bicycle()}), detectLabelsTarget, `{"Image":`+bytesOf(jpeg(640, 480))+tt.members+`}`)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusOK {
				t.Fatalf("got %d %s", res.StatusCode, body)
			}
			var got, want any
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDetectLabelsParams(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, members string
		want          trilobite.AnalyzeParams
	}{
		{"defaults", ``, trilobite.AnalyzeParams{Labels: true, MinScore: 0.55, MaxLabels: 1000}},
		{"no features is the default", `,"Features":[]`, trilobite.AnalyzeParams{Labels: true, MinScore: 0.55, MaxLabels: 1000}},
		{"own limits", `,"MaxLabels":3,"MinConfidence":0`, trilobite.AnalyzeParams{Labels: true, MaxLabels: 3}},
		{"1000 labels at most", `,"MaxLabels":5000`, trilobite.AnalyzeParams{Labels: true, MinScore: 0.55, MaxLabels: 1000}},
		{"properties have ten colours", `,"Features":["IMAGE_PROPERTIES"]`, trilobite.AnalyzeParams{Properties: true, MaxColors: 10}},
		{
			"filters", `,"Settings":{"GeneralLabels":{"LabelInclusionFilters":["Cat"],"LabelExclusionFilters":["Dog"],"LabelCategoryInclusionFilters":["Animals and Pets"],"LabelCategoryExclusionFilters":["Food and Beverage"]}}`,
			trilobite.AnalyzeParams{Labels: true, MinScore: 0.55, MaxLabels: 1000, Filter: trilobite.LabelFilter{
				Include: []string{"Cat"}, Exclude: []string{"Dog"},
				IncludeCategories: []string{"Animals and Pets"}, ExcludeCategories: []string{"Food and Beverage"},
			}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &analyzer{analysis: &trilobite.Analysis{}}
			image := `{"S3Object":{"Bucket":"photos","Name":"cat.png"}}`
			if res := post(newServer(a), detectLabelsTarget, `{"Image":`+image+tt.members+`}`); res.StatusCode != http.StatusOK {
				t.Fatal(res.Status)
			}
			if diff := cmp.Diff(&tt.want, a.asked); diff != "" {
				t.Errorf("params (-want +got):\n%s", diff)
			}
		})
	}
}
