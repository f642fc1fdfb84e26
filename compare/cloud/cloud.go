// Package cloud asks the vendors' services through their own Go SDKs, as Askers of package
// compare: Amazon Rekognition and its Custom Labels, Google Vision, Vertex AI.
//
// An Asker makes one call and no retry: package compare counts and pays every call, waits
// and tries again. What came back is kept whole, as JSON of the SDK's own type, beside
// the labels that were read from it. Errors carry the trilobite.Code that says what to
// do: Throttled to try again, InvalidImage to go on with the next one. Credentials are
// where the SDKs look for them. Start at NewRekognition, NewVision or NewVertex.
package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/grpc/codes"

	"trilobite"
	"trilobite/compare"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/imageio"
)

// leastPercent is the confidence from which the services are asked for labels: curves of
// AP want more than what is shown, and an answer costs the same.
const leastPercent = 1

// Options of an Asker.
type Options struct {
	Task     compare.Task
	Region   string
	Endpoint string // another server that speaks the service's protocol; "": the vendor's
	// Pixels says what the pixels of a Vertex model's masks mean, as a data set of masks does
	// (Classes, Values, Colors, Ignore); only for segmentation.
	Pixels *dataset.Set
}

// fraction turns a box of fractions of an image into pixels.
func fraction(left, top, width, height float64, size imageio.Header) *geom.Rect {
	w, h := float64(size.W), float64(size.H)
	return &geom.Rect{X: left * w, Y: top * h, W: width * w, H: height * h}
}

// raw is a service's answer as it is kept.
func raw(answer any) []byte {
	data, err := json.Marshal(answer)
	if err != nil {
		data, _ = json.Marshal(fmt.Sprint(answer)) // a string always is JSON
	}
	return data
}

// host is what an endpoint's address names.
func host(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		return u.Host
	}
	return endpoint
}

// local reports whether an endpoint is on this machine, where nothing is encrypted.
func local(endpoint string) bool {
	name, _, err := net.SplitHostPort(strings.TrimPrefix(endpoint, "http://"))
	ip := net.ParseIP(name)
	return err == nil && (name == "localhost" || ip != nil && ip.IsLoopback())
}

// amazon gives an error of the AWS SDK its code. Amazon bills no call that it refused;
// a line that went dead may have been billed.
func amazon(op string, err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("%s: %w", op, err)
	}
	code := map[string]trilobite.Code{
		"ThrottlingException": trilobite.Throttled, "ProvisionedThroughputExceededException": trilobite.Throttled, "InternalServerError": trilobite.Throttled,
		"InvalidImageFormatException": trilobite.InvalidImage, "ImageTooLargeException": trilobite.ImageTooLarge,
		"AccessDeniedException": trilobite.Forbidden, "UnrecognizedClientException": trilobite.Unauthorized, "InvalidSignatureException": trilobite.Unauthorized,
		"ResourceNotFoundException": trilobite.NotFound, "ResourceNotReadyException": trilobite.NotReady, "LimitExceededException": trilobite.LimitExceeded,
	}[api.ErrorCode()]
	if code == "" {
		code = trilobite.Invalid
	}
	msg := fmt.Sprintf("Amazon answered %s: %s", api.ErrorCode(), api.ErrorMessage())
	hint := map[trilobite.Code]string{
		trilobite.NotReady:     " Start the model first (StartProjectVersion): it is billed by the hour from then on.",
		trilobite.Forbidden:    " Allow these credentials rekognition:" + op + ".",
		trilobite.Unauthorized: " Look at the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.",
	}[code]
	return &trilobite.Error{Op: op, Code: code, Msg: msg + hint, Err: err}
}

// google gives an error of Google's clients its code.
func google(op string, err error) error {
	api, ok := apierror.FromError(err)
	if !ok {
		return fmt.Errorf("%s: %w", op, err)
	}
	status := codes.Unknown
	if s := api.GRPCStatus(); s != nil {
		status = s.Code()
	}
	switch api.HTTPCode() {
	case 429, 503:
		status = codes.Unavailable
	case 401:
		status = codes.Unauthenticated
	case 403:
		status = codes.PermissionDenied
	case 404:
		status = codes.NotFound
	case 400, 413:
		status = codes.InvalidArgument
	}
	if status == codes.InvalidArgument && !ofImage(api.Error()) {
		return &trilobite.Error{Op: op, Code: trilobite.Invalid, Msg: "Google answered: " + api.Error(), Err: err}
	}
	return coded(op, status, api.Error(), err)
}

// ofImage reports whether a refused call's text blames its image: then the next one is
// asked. What blames anything else would be refused for every image.
func ofImage(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "image") || strings.Contains(text, "payload size")
}

// coded makes an error of a status of Google's.
func coded(op string, status codes.Code, text string, err error) error {
	code, ok := map[codes.Code]trilobite.Code{
		codes.ResourceExhausted: trilobite.Throttled, codes.Unavailable: trilobite.Throttled, codes.InvalidArgument: trilobite.InvalidImage,
		codes.Unauthenticated: trilobite.Unauthorized, codes.PermissionDenied: trilobite.Forbidden, codes.NotFound: trilobite.NotFound,
		codes.FailedPrecondition: trilobite.NotReady, codes.Unimplemented: trilobite.Unsupported,
	}[status]
	if !ok {
		return fmt.Errorf("%s: %s: %w", op, text, err)
	}
	return &trilobite.Error{Op: op, Code: code, Msg: "Google answered: " + text, Err: err}
}
