package vision_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	client "cloud.google.com/go/vision/v2/apiv1"
	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/genproto/googleapis/type/color"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
)

// clients returns Google's own Go client, unmodified, over both of its transports.
func clients(t *testing.T, addr string) map[string]*client.ImageAnnotatorClient {
	t.Helper()
	rpc, err := client.NewImageAnnotatorClient(t.Context(), option.WithEndpoint(addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	rest, err := client.NewImageAnnotatorRESTClient(t.Context(), option.WithEndpoint("http://"+addr), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rpc.Close(); rest.Close() })
	return map[string]*client.ImageAnnotatorClient{"grpc": rpc, "rest": rest}
}

// failedWith tells whether a client's error has the code of its transport.
func failedWith(err error, transport string, want codes.Code, httpCode int) bool {
	if transport == "rest" {
		e, ok := errors.AsType[*googleapi.Error](err)
		return ok && e.Code == httpCode
	}
	return grpcstatus.Code(err) == want
}

func features(types ...pb.Feature_Type) []*pb.Feature {
	var fs []*pb.Feature
	for _, t := range types {
		fs = append(fs, &pb.Feature{Type: t})
	}
	return fs
}

func content(s string) *pb.Image { return &pb.Image{Content: []byte(s)} }

func source(uri string) *pb.Image {
	return &pb.Image{Source: &pb.ImageSource{ImageUri: uri}}
}

func rect(x1, y1, x2, y2 float32) *pb.BoundingPoly {
	return &pb.BoundingPoly{NormalizedVertices: []*pb.NormalizedVertex{{X: x1, Y: y1}, {X: x2, Y: y1}, {X: x2, Y: y2}, {X: x1, Y: y2}}}
}

func TestClientAllFeatures(t *testing.T) {
	t.Parallel()
	want := &pb.BatchAnnotateImagesResponse{Responses: []*pb.AnnotateImageResponse{{
		LabelAnnotations: []*pb.EntityAnnotation{
			{Mid: "/trilobite/bicycle", Description: "Bicycle", Score: 0.9375, Topicality: 0.9375},
			{Mid: "/trilobite/vehicle", Description: "Vehicle", Score: 0.75, Topicality: 0.75},
			{Mid: "/trilobite/street_art", Description: "Street Art", Score: 0.5, Topicality: 0.5},
		},
		LocalizedObjectAnnotations: []*pb.LocalizedObjectAnnotation{
			{Mid: "/trilobite/bicycle", Name: "Bicycle", Score: 0.875, BoundingPoly: rect(0.25, 0.25, 0.75, 0.75)},
			{Mid: "/trilobite/person", Name: "Person", Score: 0.5, BoundingPoly: rect(0, 0, 1, 1)},
		},
		ImagePropertiesAnnotation: &pb.ImageProperties{DominantColors: &pb.DominantColorsAnnotation{Colors: []*pb.ColorInfo{
			{Color: &color.Color{Red: 200, Blue: 255}, Score: 0.5, PixelFraction: 0.25},
			{Color: &color.Color{Red: 10, Green: 20, Blue: 30}, Score: 0.25, PixelFraction: 0.5},
		}}},
		CropHintsAnnotation: &pb.CropHintsAnnotation{CropHints: []*pb.CropHint{{
			BoundingPoly: &pb.BoundingPoly{Vertices: []*pb.Vertex{{}, {X: 199}, {X: 199, Y: 199}, {Y: 199}}},
			Confidence:   0.5, ImportanceFraction: 0.75,
		}}},
	}}}
	for name, c := range clients(t, listen(t, handler(analyzer{}))) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.BatchAnnotateImages(t.Context(), &pb.BatchAnnotateImagesRequest{Requests: []*pb.AnnotateImageRequest{{
				Image:    content("bike"),
				Features: features(pb.Feature_LABEL_DETECTION, pb.Feature_OBJECT_LOCALIZATION, pb.Feature_IMAGE_PROPERTIES, pb.Feature_CROP_HINTS),
			}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestClientPerImageErrors(t *testing.T) {
	t.Parallel()
	label := features(pb.Feature_LABEL_DETECTION)
	batch := []struct {
		name string
		req  *pb.AnnotateImageRequest
		want *status.Status // nil for labels
	}{
		{"slow first", &pb.AnnotateImageRequest{Image: content("slow bike"), Features: label}, nil},
		{"no image data", &pb.AnnotateImageRequest{Image: content("text"), Features: label}, &status.Status{Code: 3, Message: "Bad image data."}},
		{"a bucket's object", &pb.AnnotateImageRequest{Image: source("gs://photos/a/bike.jpg"), Features: label}, nil},
		{"a missing object", &pb.AnnotateImageRequest{Image: source("gs://photos/none.jpg"), Features: label}, &status.Status{Code: 5, Message: "Error opening file: gs://photos/none.jpg."}},
		{"no object named", &pb.AnnotateImageRequest{Image: source("gs://photos"), Features: label}, &status.Status{Code: 3, Message: "Invalid GCS path specified: gs://photos."}},
		{"the older field", &pb.AnnotateImageRequest{Image: &pb.Image{Source: &pb.ImageSource{GcsImageUri: "gs://photos/a/bike.jpg"}}, Features: label}, nil},
		{"content wins over source", &pb.AnnotateImageRequest{Image: &pb.Image{Content: []byte("bike"), Source: &pb.ImageSource{ImageUri: "gs://photos/none.jpg"}}, Features: label}, nil},
		{"a URL", &pb.AnnotateImageRequest{Image: source("https://example.com/bike.jpg"), Features: label}, nil},
		{"a URL that is down", &pb.AnnotateImageRequest{Image: source("https://example.com/down.jpg"), Features: label}, &status.Status{Code: 14, Message: "We can not access the URL currently. Please download the content and pass it in."}},
		{"a URL off the list", &pb.AnnotateImageRequest{Image: source("http://169.254.169.254/"), Features: label}, &status.Status{Code: 7, Message: "We're not allowed to access the URL on your behalf. Please download the content and pass it in."}},
		{"a file", &pb.AnnotateImageRequest{Image: source("file:///etc/passwd"), Features: label}, &status.Status{Code: 3, Message: "Unsupported URI protocol specified: file:///etc/passwd."}},
		{"no image", &pb.AnnotateImageRequest{Features: label}, &status.Status{Code: 3, Message: "Request must specify image and features."}},
		{"no feature", &pb.AnnotateImageRequest{Image: content("bike")}, &status.Status{Code: 3, Message: "Request must specify image and features."}},
		{"a bug is hidden", &pb.AnnotateImageRequest{Image: content("bug"), Features: label}, &status.Status{Code: 13, Message: "Internal error."}},
		{"too many pixels", &pb.AnnotateImageRequest{Image: content("huge"), Features: label}, &status.Status{Code: 3, Message: "The image has too many pixels."}},
		{"one of many is throttled", &pb.AnnotateImageRequest{Image: content("full"), Features: label}, &status.Status{Code: 8, Message: "Too many images at once."}},
	}
	req := &pb.BatchAnnotateImagesRequest{}
	for _, b := range batch {
		req.Requests = append(req.Requests, b.req)
	}
	for name, c := range clients(t, listen(t, handler(analyzer{}))) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.BatchAnnotateImages(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.GetResponses()) != len(batch) {
				t.Fatalf("got %d responses, want %d", len(got.GetResponses()), len(batch))
			}
			for i, b := range batch {
				r := got.GetResponses()[i]
				if diff := cmp.Diff(b.want, r.GetError(), protocmp.Transform()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", b.name, diff)
				}
				if b.want == nil && len(r.GetLabelAnnotations()) == 0 {
					t.Errorf("%s: no labels", b.name)
				}
			}
		})
	}
}

func TestClientFeatureRules(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		features []*pb.Feature
		context  *pb.ImageContext
		code     codes.Code
		text     string
		labels   int
	}{
		{"max_results cuts", []*pb.Feature{{Type: pb.Feature_LABEL_DETECTION, MaxResults: 1}}, nil, codes.OK, "", 1},
		{"the larger of two max_results", []*pb.Feature{{Type: pb.Feature_LABEL_DETECTION, MaxResults: 2}, {Type: pb.Feature_LABEL_DETECTION, MaxResults: 1}}, nil, codes.OK, "", 2},
		{"negative max_results", []*pb.Feature{{Type: pb.Feature_LABEL_DETECTION, MaxResults: -1}}, nil, codes.InvalidArgument, "LABEL_DETECTION", 0},
		{"builtin/latest", []*pb.Feature{{Type: pb.Feature_LABEL_DETECTION, Model: "builtin/latest"}}, nil, codes.OK, "", 3},
		{"another model", []*pb.Feature{{Type: pb.Feature_LABEL_DETECTION, Model: "builtin/weekly"}}, nil, codes.InvalidArgument, "builtin/weekly", 0},
		{"a feature not offered is named", features(pb.Feature_FACE_DETECTION), nil, codes.Unimplemented, "FACE_DETECTION", 0},
		{"beside one that is", features(pb.Feature_TEXT_DETECTION, pb.Feature_LABEL_DETECTION), nil, codes.Unimplemented, "TEXT_DETECTION", 3},
		{"unspecified", features(pb.Feature_TYPE_UNSPECIFIED), nil, codes.InvalidArgument, "0", 0},
		{"a number of no feature", features(99), nil, codes.InvalidArgument, "99", 0},
		{"a ratio of zero", features(pb.Feature_CROP_HINTS), &pb.ImageContext{CropHintsParams: &pb.CropHintsParams{AspectRatios: []float32{0}}}, codes.InvalidArgument, "ratio", 0},
		{"17 ratios", features(pb.Feature_CROP_HINTS), &pb.ImageContext{CropHintsParams: &pb.CropHintsParams{AspectRatios: make([]float32, 17)}}, codes.InvalidArgument, "17", 0},
		{"words for other features", features(pb.Feature_LABEL_DETECTION), &pb.ImageContext{LanguageHints: []string{"en"}}, codes.OK, "", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for name, c := range clients(t, listen(t, handler(analyzer{}))) {
				got, err := c.BatchAnnotateImages(t.Context(), &pb.BatchAnnotateImagesRequest{Requests: []*pb.AnnotateImageRequest{
					{Image: content("bike"), Features: tc.features, ImageContext: tc.context},
				}})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				r := got.GetResponses()[0]
				if codes.Code(r.GetError().GetCode()) != tc.code || !strings.Contains(r.GetError().GetMessage(), tc.text) {
					t.Errorf("%s: got %v, want %v naming %q", name, r.GetError(), tc.code, tc.text)
				}
				if len(r.GetLabelAnnotations()) != tc.labels {
					t.Errorf("%s: got %d labels, want %d", name, len(r.GetLabelAnnotations()), tc.labels)
				}
			}
		})
	}
}

func TestClientWholeCallErrors(t *testing.T) {
	t.Parallel()
	one := func(s string) []*pb.AnnotateImageRequest {
		return []*pb.AnnotateImageRequest{{Image: content(s), Features: features(pb.Feature_LABEL_DETECTION)}}
	}
	for _, tc := range []struct {
		name     string
		requests []*pb.AnnotateImageRequest
		want     codes.Code
		http     int
	}{
		{"no image", nil, codes.InvalidArgument, 400},
		{"17 images", make([]*pb.AnnotateImageRequest, 17), codes.InvalidArgument, 400},
		{"all throttled", one("full"), codes.ResourceExhausted, 429},
	} {
		for i := range tc.requests {
			if tc.requests[i] == nil {
				tc.requests[i] = one("bike")[0]
			}
		}
		for name, c := range clients(t, listen(t, handler(analyzer{}))) {
			_, err := c.BatchAnnotateImages(t.Context(), &pb.BatchAnnotateImagesRequest{Requests: tc.requests})
			if !failedWith(err, name, tc.want, tc.http) {
				t.Errorf("%s, %s: got %v, want %v or %d", tc.name, name, err, tc.want, tc.http)
			}
		}
	}
}

func TestClientDeadlineStopsTheWork(t *testing.T) {
	t.Parallel()
	c := clients(t, listen(t, handler(analyzer{})))["grpc"]
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.BatchAnnotateImages(ctx, &pb.BatchAnnotateImagesRequest{Requests: []*pb.AnnotateImageRequest{
		{Image: content("wait"), Features: features(pb.Feature_LABEL_DETECTION)},
	}})
	if !errors.Is(err, context.DeadlineExceeded) && grpcstatus.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
}

func TestClientOtherMethodsAreUnimplemented(t *testing.T) {
	t.Parallel()
	for name, c := range clients(t, listen(t, handler(analyzer{}))) {
		_, err := c.BatchAnnotateFiles(t.Context(), &pb.BatchAnnotateFilesRequest{})
		if !failedWith(err, name, codes.Unimplemented, 501) || !strings.Contains(err.Error(), "BatchAnnotateFiles") {
			t.Errorf("%s: got %v, want unimplemented and the method's name", name, err)
		}
	}
}
