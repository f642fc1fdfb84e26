package rekognition

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/smithy-go"

	"trilobite"
	"trilobite/auth"
	"trilobite/store/sqlite"
)

// analyzeFunc is an Analyzer.
type analyzeFunc func(ctx context.Context, p trilobite.AnalyzeParams) (*trilobite.Analysis, error)

func (f analyzeFunc) Analyze(ctx context.Context, _ []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	return f(ctx, p)
}

// pause is how long the SDK waits before it comes again.
const pause = 250 * time.Millisecond

// client returns aws-sdk-go-v2's client of a server that verifies signatures, signing
// with the given secret or, for "", with the right one.
func client(t *testing.T, a Analyzer, n auth.NewKey, secret string) *sdk.Client {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	master := make([]byte, 32)
	_, _ = rand.Read(master)
	sealer, err := auth.NewSealer(master)
	if err != nil {
		t.Fatal(err)
	}
	k, right, err := (&auth.Keys{Store: store, Sealer: sealer}).Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if secret == "" {
		secret = right
	}
	srv := httptest.NewServer(New(Config{
		Analyzer: a, Auth: auth.New(auth.Config{Store: store, Sealer: sealer}), Version: "1.2.3",
		Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(srv.Close)
	return sdk.New(sdk.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL),
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, secret, ""),
		// The default waits a random time, from nothing up.
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return pause, nil })
		}),
	})
}

func detect(t *testing.T, c *sdk.Client) (*sdk.DetectLabelsOutput, error) {
	t.Helper()
	return c.DetectLabels(t.Context(), &sdk.DetectLabelsInput{
		Image:    &types.Image{Bytes: jpeg(640, 480)},
		Features: []types.DetectLabelsFeatureName{types.DetectLabelsFeatureNameGeneralLabels, types.DetectLabelsFeatureNameImageProperties},
	})
}

func TestSDKClient(t *testing.T) {
	t.Parallel()
	out, err := detect(t, client(t, &analyzer{analysis: bicycle()}, auth.NewKey{}, ""))
	if err != nil {
		t.Fatal(err)
	}
	l := out.Labels[0]
	if *l.Name != "Bicycle" || *l.Confidence != 87.5 || *l.Instances[0].BoundingBox.Left != 0.25 || *l.Parents[1].Name != "Transportation" {
		t.Errorf("label %+v", l)
	}
	if out.OrientationCorrection != "" || *out.ImageProperties.DominantColors[0].CSSColor != "red" || out.ImageProperties.Foreground != nil {
		t.Errorf("answer %+v", out)
	}
}

// TestRetries sees the SDK come again after ThrottlingException: three attempts by
// default, so a third that succeeds is success.
func TestRetries(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	busyTwice := analyzeFunc(func(context.Context, trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
		if calls.Add(1) < 3 {
			return nil, &trilobite.Error{Op: "test", Code: trilobite.Throttled, Msg: "The queue is full."}
		}
		return bicycle(), nil
	})
	if _, err := detect(t, client(t, busyTwice, auth.NewKey{}, "")); err != nil || calls.Load() != 3 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

// TestRateOfKey sees a client held to its key's rate get through by retrying, and one
// that does not retry fail with AWS's exception.
func TestRateOfKey(t *testing.T) {
	t.Parallel()
	c := client(t, &analyzer{analysis: bicycle()}, auth.NewKey{RatePerSecond: 5, Burst: 1}, "")
	start := time.Now()
	for range 3 {
		if _, err := detect(t, c); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(start); d < 2*time.Second/5 {
		t.Errorf("3 calls at 5 a second took %v", d)
	}
	c = client(t, &analyzer{analysis: bicycle()}, auth.NewKey{RatePerSecond: 0.001, Burst: 1}, "")
	if _, err := detect(t, c); err != nil {
		t.Fatal(err)
	}
	_, err := detect(t, c)
	if e, ok := errors.AsType[*types.ThrottlingException](err); !ok || !strings.HasPrefix(e.ErrorMessage(), "Rate exceeded") {
		t.Errorf("over the rate: %v", err)
	}
}

// TestTypedErrors sees the SDK make its own types of our answers.
func TestTypedErrors(t *testing.T) {
	t.Parallel()
	ok := &analyzer{analysis: bicycle()}
	t.Run("InvalidImageFormatException", func(t *testing.T) {
		t.Parallel()
		_, err := client(t, ok, auth.NewKey{}, "").DetectLabels(t.Context(), &sdk.DetectLabelsInput{Image: &types.Image{Bytes: []byte("text")}})
		e, typed := errors.AsType[*types.InvalidImageFormatException](err)
		if !typed || e.ErrorMessage() != "Request has invalid image format" || aws.ToString(e.Code) != "InvalidImageFormatException" || aws.ToString(e.Logref) == "" {
			t.Errorf("%v", err)
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Parallel()
		_, err := detect(t, client(t, ok, auth.NewKey{}, "wrong"))
		if e, typed := errors.AsType[smithy.APIError](err); !typed || e.ErrorCode() != "InvalidSignatureException" {
			t.Errorf("%v", err)
		}
	})
	t.Run("operation that is not offered", func(t *testing.T) {
		t.Parallel()
		_, err := client(t, ok, auth.NewKey{}, "").ListCollections(t.Context(), &sdk.ListCollectionsInput{})
		if e, typed := errors.AsType[smithy.APIError](err); !typed || e.ErrorCode() != "UnknownOperationException" || e.ErrorMessage() != "Trilobite 1.2.3 does not offer the operation ListCollections." {
			t.Errorf("%v", err)
		}
	})
}
