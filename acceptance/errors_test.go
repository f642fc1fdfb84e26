package acceptance

import (
	"errors"
	"net/http"
	"testing"

	"cloud.google.com/go/vision/v2/apiv1/visionpb"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/smithy-go"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/grpc/codes"
)

// TestAmazonErrors: programs tell errors apart by type.
func TestAmazonErrors(t *testing.T) {
	t.Parallel()
	client := amazon(setting(t, "SERVER"), "any.any")
	tests := []struct {
		name  string
		image *types.Image
		is    func(error) bool
	}{
		{"bytes that are no picture", &types.Image{Bytes: []byte("hello")}, is[*types.InvalidImageFormatException]},
		{"nothing", &types.Image{}, is[*types.InvalidParameterException]},
		{"no such bucket", object("elsewhere", "x.png"), is[*types.InvalidS3ObjectException]},
		{"no such object", object("photos", "x.png"), is[*types.InvalidS3ObjectException]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := client.DetectLabels(t.Context(), &rekognition.DetectLabelsInput{Image: tt.image}); !tt.is(err) {
				t.Errorf("%T: %[1]v", err)
			}
		})
	}
	t.Run("operation not offered", func(t *testing.T) {
		t.Parallel()
		_, err := client.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: object("photos", "chelsea.png")})
		if code(err) != "UnknownOperationException" {
			t.Errorf("%v", err)
		}
	})
}

// TestAmazonKeys: what is signed with a key is let in, and held to its rate after the
// SDK's three attempts.
func TestAmazonKeys(t *testing.T) {
	t.Parallel()
	url, key, once := setting(t, "LOCKED"), setting(t, "KEY"), setting(t, "ONCE")
	in := &rekognition.DetectLabelsInput{Image: object("photos", "chelsea.png")}
	if _, err := amazon(url, key).DetectLabels(t.Context(), in); err != nil {
		t.Errorf("with a key: %v", err)
	}
	if _, err := amazon(url, key+"x").DetectLabels(t.Context(), in); code(err) != "InvalidSignatureException" {
		t.Errorf("with another secret: %v", err)
	}
	if _, err := amazon(url, "any.any").DetectLabels(t.Context(), in); code(err) != "UnrecognizedClientException" {
		t.Errorf("with an unknown key: %v", err)
	}
	slow := amazon(url, once)
	if _, err := slow.DetectLabels(t.Context(), in); err != nil {
		t.Errorf("first call of a slow key: %v", err)
	}
	_, err := slow.DetectLabels(t.Context(), in)
	if tries, ok := errors.AsType[*retry.MaxAttemptsError](err); !ok || tries.Attempt != 3 || !is[*types.ThrottlingException](err) {
		t.Errorf("second call of a slow key: %v", err)
	}
}

// TestGoogleErrors: an image's own error and the whole call's.
func TestGoogleErrors(t *testing.T) {
	t.Parallel()
	label := []*visionpb.Feature{{Type: visionpb.Feature_LABEL_DETECTION}}
	for transport, client := range google(t, setting(t, "SERVER")) {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			out, err := client.BatchAnnotateImages(t.Context(), &visionpb.BatchAnnotateImagesRequest{
				Requests: []*visionpb.AnnotateImageRequest{
					{Image: &visionpb.Image{Content: []byte("hello")}, Features: label},
					{Image: &visionpb.Image{Content: []byte("hello")}, Features: []*visionpb.Feature{{Type: visionpb.Feature_FACE_DETECTION}}},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []codes.Code{codes.InvalidArgument, codes.Unimplemented} {
				if e := out.GetResponses()[i].GetError(); codes.Code(e.GetCode()) != want {
					t.Errorf("image %d: %v, want %v", i, e, want)
				}
			}
		})
	}
	for transport, client := range google(t, setting(t, "LOCKED")) {
		t.Run(transport+" without a key", func(t *testing.T) {
			t.Parallel()
			_, err := client.BatchAnnotateImages(t.Context(), &visionpb.BatchAnnotateImagesRequest{
				Requests: []*visionpb.AnnotateImageRequest{{Image: &visionpb.Image{Content: []byte("hello")}, Features: label}},
			})
			if e, ok := errors.AsType[*apierror.APIError](err); !ok || e.HTTPCode() != http.StatusForbidden && e.GRPCStatus().Code() != codes.PermissionDenied {
				t.Errorf("%v", err)
			}
		})
	}
}

func object(bucket, key string) *types.Image {
	return &types.Image{S3Object: &types.S3Object{Bucket: aws.String(bucket), Name: aws.String(key)}}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// code is the service's name for an error.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}
