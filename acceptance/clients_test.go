// Package acceptance holds the Go SDKs' part of the acceptance tests. pytest runs it
// against servers that it started (test_go.py); by itself it is skipped.
package acceptance

import (
	"os"
	"strings"
	"testing"

	vision "cloud.google.com/go/vision/v2/apiv1"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// setting returns an environment variable of test_go.py, or skips the test.
func setting(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv("ACCEPTANCE_" + name)
	if v == "" {
		t.Skip("ACCEPTANCE_" + name + " is not set: run make acceptance")
	}
	return v
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// amazon returns a Rekognition client for a server's URL. key is ID.SECRET; an open
// server takes any.
func amazon(url, key string) *rekognition.Client {
	id, secret, _ := strings.Cut(key, ".")
	return rekognition.New(rekognition.Options{
		BaseEndpoint: aws.String(url),
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
}

// google returns Vision clients for a server's URL, by transport.
func google(t *testing.T, url string) map[string]*vision.ImageAnnotatorClient {
	t.Helper()
	rpc, err := vision.NewImageAnnotatorClient(t.Context(),
		option.WithEndpoint(strings.TrimPrefix(url, "http://")), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	rest, err := vision.NewImageAnnotatorRESTClient(t.Context(), option.WithEndpoint(url), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rpc.Close(); rest.Close() })
	return map[string]*vision.ImageAnnotatorClient{"gRPC": rpc, "REST": rest}
}
