package vision

import (
	"context"
	"fmt"
	"strings"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"

	"trilobite"
	"trilobite/api/google"
)

// Google's sentences for URLs, which clients are known to match on.
const (
	unreachable = "We can not access the URL currently. Please download the content and pass it in."
	notAllowed  = "We're not allowed to access the URL on your behalf. Please download the content and pass it in."
)

// image returns the bytes that a request means: its content, or else what its
// source names. image_uri wins over the older gcs_image_uri, as Google has it.
func (h *Handler) image(ctx context.Context, img *pb.Image) ([]byte, error) {
	if content := img.GetContent(); len(content) > 0 {
		if len(content) > maxImageBytes {
			return nil, tooLarge()
		}
		return content, nil
	}
	uri := img.GetSource().GetImageUri()
	if uri == "" {
		uri = img.GetSource().GetGcsImageUri()
		if uri != "" && !strings.HasPrefix(uri, "gs://") {
			return nil, google.Invalid(fmt.Sprintf("Unsupported URI protocol specified: %s.", google.Short(uri)))
		}
	}
	switch scheme, rest, _ := strings.Cut(uri, "://"); scheme {
	case "":
		return nil, google.Invalid("Request must specify image and features.")
	case "gs":
		return h.object(ctx, uri, rest)
	case "http", "https":
		return h.fetch(ctx, uri)
	}
	return nil, google.Invalid(fmt.Sprintf("Unsupported URI protocol specified: %s.", google.Short(uri)))
}

// object reads gs://bucket/key; a #fragment is a generation, as in gsutil's URLs.
func (h *Handler) object(ctx context.Context, uri, rest string) ([]byte, error) {
	bucket, key, _ := strings.Cut(rest, "/")
	key, version, _ := strings.Cut(key, "#")
	if bucket == "" || key == "" {
		return nil, google.Invalid(fmt.Sprintf("Invalid GCS path specified: %s.", google.Short(uri)))
	}
	opening := "Error opening file: " + google.Short(uri) + "."
	if h.config.Objects == nil {
		return nil, &trilobite.Error{Op: "vision.object", Code: trilobite.NotFound, Msg: opening + " No buckets are configured on this server."}
	}
	data, err := h.config.Objects.Read(ctx, h.config.Account(ctx), bucket, key, version, maxImageBytes)
	switch c := trilobite.CodeOf(err); {
	case err == nil:
		return data, nil
	case c == trilobite.NotFound, c == trilobite.Forbidden, c == trilobite.Unreachable:
		// One answer for all three: it does not tell which objects of others exist.
		return nil, &trilobite.Error{Op: "vision.object", Code: trilobite.NotFound, Msg: opening, Err: err}
	}
	return nil, err
}

func (h *Handler) fetch(ctx context.Context, uri string) ([]byte, error) {
	if h.config.Fetcher == nil {
		return nil, &trilobite.Error{Op: "vision.fetch", Code: trilobite.Forbidden, Msg: notAllowed}
	}
	data, err := h.config.Fetcher.Fetch(ctx, uri, maxImageBytes)
	switch trilobite.CodeOf(err) {
	case trilobite.Forbidden:
		return nil, &trilobite.Error{Op: "vision.fetch", Code: trilobite.Forbidden, Msg: notAllowed, Err: err}
	case trilobite.Unreachable:
		return nil, &trilobite.Error{Op: "vision.fetch", Code: trilobite.Unreachable, Msg: unreachable, Err: err}
	default:
		return data, err
	}
}

func tooLarge() error {
	return &trilobite.Error{
		Op: "vision.image", Code: trilobite.ImageTooLarge,
		Msg: fmt.Sprintf("Image size exceeds limit: at most %d bytes are allowed.", maxImageBytes),
	}
}
