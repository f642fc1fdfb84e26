package rekognition

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite"
	"trilobite/auth"
	"trilobite/custom"
)

// CustomLabels keeps projects, data sets and versions: the part of custom.Store that
// calls need.
type CustomLabels interface {
	custom.ProjectStore
	custom.DatasetStore
	custom.VersionStore
	custom.TagStore
	custom.PolicyStore
}

// Predictor runs a trained model on one image file, with so many replicas.
type Predictor interface {
	Predict(ctx context.Context, model string, replicas int, image []byte) (p []custom.Prediction, w, h int, err error)
}

// page is how many results a call gives that does not say; more, the service model
// refuses.
const page = 100

// own reads the ARN of one of the caller's things. Another account's is refused before
// anybody looks for it, so that the answer tells nothing.
func own(ctx context.Context, arn *string) (custom.ARN, error) {
	a, err := custom.ParseARN(aws.ToString(arn))
	if err != nil {
		return a, err
	}
	if who, _ := auth.FromContext(ctx); a.Account != who.Account {
		return a, &trilobite.Error{Op: "rekognition.own", Code: trilobite.Forbidden, Msg: "You are not authorized to use " + a.String() + "."}
	}
	return a, nil
}

// now is the time of a call, as stores keep it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// token makes a NextToken: where a list goes on, bound to the call and all that it asks
// for. It holds nothing that the caller may not know, and a made-up one leads nowhere
// but into the caller's own list.
func token(cursor string, call ...string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(scope(call) + cursor)))
}

const scopeLen = 9 // bytes; a multiple of three keeps the base64 of both parts apart

func scope(call []string) string {
	sum := sha256.Sum256([]byte(strings.Join(call, "\x00")))
	return string(sum[:scopeLen])
}

// cursor reads a NextToken; an empty one, which examples send first, is none.
func cursor(token *string, call ...string) (string, error) {
	text := aws.ToString(token)
	if text == "" {
		return "", nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) <= scopeLen || string(data[:scopeLen]) != scope(call) {
		return "", &namedError{"InvalidPaginationTokenException", "The NextToken is not one of this call's."}
	}
	return string(data[scopeLen:]), nil
}

// cursorID is cursor for lists that go on after an ID.
func cursorID(token *string, call ...string) (int64, error) {
	text, err := cursor(token, call...)
	if err != nil || text == "" {
		return 0, err
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, &namedError{"InvalidPaginationTokenException", "The NextToken is not one of this call's."}
	}
	return id, nil
}

// tokenID is token for lists that go on after an ID.
func tokenID(id int64, call ...string) *string { return token(strconv.FormatInt(id, 10), call...) }

func invalid(op, msg string) error {
	return &trilobite.Error{Op: "rekognition." + op, Code: trilobite.Invalid, Msg: msg}
}

// object reads a reference to an object of a bucket.
func object(op string, o *types.S3Object) (*custom.Object, error) {
	if o == nil || o.Bucket == nil || o.Name == nil {
		return nil, invalid(op, "An S3Object needs Bucket and Name.")
	}
	return &custom.Object{Bucket: *o.Bucket, Key: *o.Name, Version: aws.ToString(o.Version)}, nil
}

func s3Object(o custom.Object) *types.S3Object {
	out := &types.S3Object{Bucket: aws.String(o.Bucket), Name: aws.String(o.Key)}
	if o.Version != "" {
		out.Version = aws.String(o.Version)
	}
	return out
}

// text returns a pointer to s, nil for "".
func text(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}
