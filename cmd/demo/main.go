// Command demo shows a running server what the vendors' own clients see: it sends
// photos through Amazon's and Google's unmodified Go SDKs and prints the answers.
//
//	demo -addr http://localhost:8080 photo.png ...
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	vision "cloud.google.com/go/vision/v2/apiv1"
	"cloud.google.com/go/vision/v2/apiv1/visionpb"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"google.golang.org/api/option"
)

// startTime is how long the server may take to become ready.
const startTime = 30 * time.Second

func main() {
	addr := flag.String("addr", "http://localhost:8080", "the server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, addr string, photos []string) error {
	if err := waitReady(ctx, addr); err != nil {
		return err
	}
	amazon := rekognition.New(rekognition.Options{
		BaseEndpoint: aws.String(addr),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
	google, err := vision.NewImageAnnotatorRESTClient(ctx, option.WithEndpoint(addr), option.WithoutAuthentication())
	if err != nil {
		return err
	}
	defer google.Close()
	for _, photo := range photos {
		data, err := os.ReadFile(photo)
		if err != nil {
			return err
		}
		fmt.Printf("\n%s\n", filepath.Base(photo))
		if err := askAmazon(ctx, amazon, data); err != nil {
			return fmt.Errorf("rekognition, %s: %w", photo, err)
		}
		if err := askGoogle(ctx, google, data); err != nil {
			return fmt.Errorf("vision, %s: %w", photo, err)
		}
	}
	return nil
}

// waitReady polls /readyz until the server has loaded its models.
func waitReady(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, addr+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %v", addr, startTime)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func askAmazon(ctx context.Context, client *rekognition.Client, photo []byte) error {
	out, err := client.DetectLabels(ctx, &rekognition.DetectLabelsInput{
		Image:     &types.Image{Bytes: photo},
		MaxLabels: aws.Int32(8),
	})
	if err != nil {
		return err
	}
	fmt.Println("  Rekognition DetectLabels")
	for _, l := range out.Labels {
		parents := make([]string, len(l.Parents))
		for i, p := range l.Parents {
			parents[i] = aws.ToString(p.Name)
		}
		line := fmt.Sprintf("    %-18s %5.1f %%", aws.ToString(l.Name), aws.ToFloat32(l.Confidence))
		if n := len(l.Instances); n > 0 {
			b := l.Instances[0].BoundingBox
			line += fmt.Sprintf("   box left %.2f top %.2f width %.2f height %.2f", *b.Left, *b.Top, *b.Width, *b.Height)
		}
		if len(parents) > 0 {
			line += "   in " + strings.Join(parents, ", ")
		}
		fmt.Println(line)
	}
	return nil
}

func askGoogle(ctx context.Context, client *vision.ImageAnnotatorClient, photo []byte) error {
	out, err := client.BatchAnnotateImages(ctx, &visionpb.BatchAnnotateImagesRequest{
		Requests: []*visionpb.AnnotateImageRequest{{
			Image: &visionpb.Image{Content: photo},
			Features: []*visionpb.Feature{
				{Type: visionpb.Feature_LABEL_DETECTION, MaxResults: 5},
				{Type: visionpb.Feature_OBJECT_LOCALIZATION, MaxResults: 5},
			},
		}},
	})
	if err != nil {
		return err
	}
	answer := out.GetResponses()[0]
	if e := answer.GetError(); e != nil {
		return fmt.Errorf("%s (code %d)", e.GetMessage(), e.GetCode())
	}
	fmt.Println("  Google Vision images:annotate")
	for _, l := range answer.GetLabelAnnotations() {
		fmt.Printf("    %-18s %5.2f\n", l.GetDescription(), l.GetScore())
	}
	for _, o := range answer.GetLocalizedObjectAnnotations() {
		v := o.GetBoundingPoly().GetNormalizedVertices()
		fmt.Printf("    %-18s %5.2f   from %.2f, %.2f to %.2f, %.2f\n", o.GetName(), o.GetScore(), v[0].GetX(), v[0].GetY(), v[2].GetX(), v[2].GetY())
	}
	return nil
}
