package vision

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"
	"google.golang.org/genproto/googleapis/rpc/status"

	"trilobite"
	"trilobite/api/google"
)

// annotate answers a batch: one response per request, in the same order. It fails
// as a whole where the batch breaks a rule, and where none of its images was looked
// at for want of time or room, so that the client's own retries take hold.
func (h *Handler) annotate(ctx context.Context, batch *pb.BatchAnnotateImagesRequest) (*pb.BatchAnnotateImagesResponse, error) {
	switch n := len(batch.GetRequests()); {
	case n == 0:
		return nil, google.Invalid("Request must contain at least one image: requests is empty.")
	case n > maxImages:
		return nil, google.Invalid(fmt.Sprintf("Too many images per request: %d, at most %d are allowed.", n, maxImages))
	}
	responses := make([]*pb.AnnotateImageResponse, len(batch.GetRequests()))
	errs := make([]error, len(responses))
	h.each(len(responses), func(i int) {
		responses[i], errs[i] = h.annotateOne(ctx, batch.GetRequests()[i])
	})
	if err := whole(errs); err != nil {
		return nil, err
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if trilobite.CodeOf(err) == trilobite.Internal {
			h.config.Log.ErrorContext(ctx, "annotating an image", "index", i, "error", err)
		}
		if responses[i] == nil {
			responses[i] = &pb.AnnotateImageResponse{}
		}
		responses[i].Error = imageStatus(err)
	}
	return &pb.BatchAnnotateImagesResponse{Responses: responses}, nil
}

// whole returns an error for the call where every image failed with one that asks
// the client to come back or that means it has gone.
func whole(errs []error) error {
	for _, err := range errs {
		switch trilobite.CodeOf(err) {
		case trilobite.Throttled, trilobite.Canceled:
		default:
			return nil
		}
	}
	return errs[0]
}

// each calls f for 0 to n-1, at most Parallel at once, and returns after the last.
func (h *Handler) each(n int, f func(int)) {
	var wg sync.WaitGroup
	room := make(chan struct{}, h.config.Parallel)
	for i := range n {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			f(i)
		})
	}
	wg.Wait()
}

// annotateOne answers one image. It may return both: annotations are right even
// where an error is set, as google.cloud.vision.v1.AnnotateImageResponse promises.
func (h *Handler) annotateOne(ctx context.Context, r *pb.AnnotateImageRequest) (resp *pb.AnnotateImageResponse, err error) {
	defer func() {
		// The goroutine is ours, so nobody further up would stop the process from dying.
		if p := recover(); p != nil {
			resp, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if ctx.Err() != nil {
		return nil, canceled(ctx.Err())
	}
	if len(r.GetFeatures()) == 0 {
		return nil, google.Invalid("Request must specify image and features.")
	}
	w, unsupported := wanted(r)
	if w.err != nil {
		return nil, w.err
	}
	if w.nothing() {
		return nil, unsupported
	}
	image, err := h.image(ctx, r.GetImage())
	if err != nil {
		return nil, err
	}
	a, err := h.config.Analyzer.Analyze(ctx, image, w.params(h.config.MinScore))
	if err != nil {
		if ctx.Err() != nil {
			return nil, canceled(ctx.Err())
		}
		return nil, err
	}
	return w.response(a), unsupported
}

// imageStatus is the error of one image of a batch.
func imageStatus(err error) *status.Status {
	s := &status.Status{Code: int32(google.Code(err)), Message: google.Message(err)}
	if trilobite.CodeOf(err) == trilobite.InvalidImage {
		s.Message = "Bad image data."
	}
	return s
}

func canceled(cause error) error {
	msg := "The operation was cancelled."
	if errors.Is(cause, context.DeadlineExceeded) {
		msg = "Deadline exceeded."
	}
	return &trilobite.Error{Op: "vision.Annotate", Code: trilobite.Canceled, Msg: msg, Err: cause}
}
