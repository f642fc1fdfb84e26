package rekognition

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite"
	"trilobite/auth"
)

// The service's limits on images ("Guidelines and quotas in Amazon Rekognition"). Bytes
// in the request are bounded by the service model.
const (
	maxObject = 15 << 20 // bytes of an S3 object
	minSide   = 80       // pixels, unless an operation says otherwise
)

// invalidParameters is the service's text where no member alone is wrong.
const invalidParameters = "Request has invalid parameters"

// image returns the bytes of the image that a request names, after looking at the format
// and size its header declares; sides are from least to most pixels.
func (s *Server) image(ctx context.Context, in *types.Image, least, most int) ([]byte, error) {
	data, err := s.imageBytes(ctx, in)
	if err != nil {
		return nil, err
	}
	w, h, err := dimensions(data)
	if err != nil {
		return nil, &trilobite.Error{Op: "rekognition.image", Code: trilobite.InvalidImage, Msg: "The image is neither PNG nor JPEG.", Err: err}
	}
	switch {
	case max(w, h) > most:
		return nil, &trilobite.Error{
			Op: "rekognition.image", Code: trilobite.ImageTooLarge,
			Msg: fmt.Sprintf("Input image dimensions %d x %d exceed maximum dimension size of %d pixels", w, h, most),
		}
	case min(w, h) < least:
		return nil, &trilobite.Error{
			Op: "rekognition.image", Code: trilobite.Invalid, Msg: invalidParameters,
			Err: fmt.Errorf("image of %dx%d pixels, a side below %d", w, h, least),
		}
	}
	return data, nil
}

// imageBytes returns the file: from the request, or from a bucket. A request with both
// or neither is wrong.
func (s *Server) imageBytes(ctx context.Context, in *types.Image) ([]byte, error) {
	o := in.S3Object
	if (in.Bytes == nil) == (o == nil) {
		return nil, &trilobite.Error{Op: "rekognition.image", Code: trilobite.Invalid, Msg: invalidParameters}
	}
	if o == nil {
		return in.Bytes, nil
	}
	if o.Bucket == nil || o.Name == nil {
		return nil, &trilobite.Error{Op: "rekognition.image", Code: trilobite.Invalid, Msg: invalidParameters}
	}
	if s.Objects == nil {
		return nil, &trilobite.Error{Op: "rekognition.image", Code: trilobite.Unreachable, Msg: "No buckets are configured."}
	}
	who, _ := auth.FromContext(ctx)
	data, err := s.Objects.Read(ctx, who.Account, *o.Bucket, *o.Name, aws.ToString(o.Version), maxObject)
	if trilobite.CodeOf(err) == trilobite.ImageTooLarge && err != nil {
		return nil, &trilobite.Error{Op: "rekognition.image", Code: trilobite.ImageTooLarge, Msg: "Image size is too large", Err: err}
	}
	return data, err
}
