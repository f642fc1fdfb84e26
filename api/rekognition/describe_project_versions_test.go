package rekognition

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"trilobite/auth"
	"trilobite/custom"
)

// stuckStore finds a version in training once, and then answers nothing until its asker
// gives up.
type stuckStore struct {
	custom.Store
	asked bool
}

func (s *stuckStore) Versions(ctx context.Context, project custom.ARN, _ custom.VersionQuery) ([]custom.Version, error) {
	if s.asked {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	s.asked = true
	return []custom.Version{{ARN: project.Of(custom.VersionKind, "v", time.Now()), Status: custom.TrainingInProgress}}, nil
}

// TestHoldEndsBeforeTheRequest asks a store that hangs: the call is answered all the same,
// with what it saw first, before the request's time is over.
func TestHoldEndsBeforeTheRequest(t *testing.T) {
	t.Parallel()
	s := New(Config{Custom: &stuckStore{}})
	ctx, stop := context.WithTimeout(auth.WithIdentity(t.Context(), auth.Identity{Account: "111111111111", Region: "eu-west-1"}), holdLeft+300*time.Millisecond)
	defer stop()
	arn := custom.ARN{Region: "eu-west-1", Account: "111111111111", Project: "p", Kind: custom.ProjectKind, Stamp: 1700000000000}
	out, err := s.describeProjectVersions(ctx, &rekognition.DescribeProjectVersionsInput{ProjectArn: aws.String(arn.String()), VersionNames: []string{"v"}})
	if err != nil || len(out.ProjectVersionDescriptions) != 1 || ctx.Err() != nil {
		t.Fatalf("%+v, %v, the request's time over: %v", out, err, ctx.Err())
	}
}
