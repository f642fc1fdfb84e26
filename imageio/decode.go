package imageio

import (
	"context"
	"sync/atomic"

	"trilobite"
)

// Options of Decode.
type Options struct {
	Limits Limits

	// MinSide allows the decoder to shrink the image by an integer factor while it
	// loads, as long as the shorter side keeps at least MinSide pixels; 0 is full size.
	// JPEG shrinks in the transform domain by 2, 4 or 8, WebP in its decoder, the
	// others by averaging boxes while they stream.
	MinSide int
}

// Decode turns a file into an upright 8-bit sRGB image; the package comment says how.
//
// A file over a limit is trilobite.ImageTooLarge, one that is no image, or a damaged
// one, trilobite.InvalidImage; when ctx ends first, the error is trilobite.Canceled
// and wraps its cause. ctx is read between strips of rows: formats that can only be
// decoded whole (interlaced PNG, progressive JPEG, AVIF) answer late, by at most the
// time that Limits leave them.
func Decode(ctx context.Context, data []byte, o Options) (*Image, error) {
	limits := o.Limits.or()
	if err := limits.bytes(len(data)); err != nil {
		return nil, err
	}
	h, s, err := probe(data)
	if s != nil {
		defer func() { s.close() }()
	}
	if err != nil {
		return nil, err
	}
	if err := limits.header(h); err != nil {
		return nil, err
	}
	stop := int32(0)
	defer context.AfterFunc(ctx, func() { atomic.StoreInt32(&stop, 1) })()
	if ctx.Err() != nil {
		return nil, canceled(ctx)
	}

	load, box := shrinks(h, o.MinSide)
	var img *Image
	switch {
	case h.Format == "bmp":
		img, err = decodeBMP(data, box, &stop)
	case load > 1:
		img, err = reopen(&s, data, h.Format, load, &stop)
	default:
		img, err = s.srgb(box, needsProfile(s), &stop)
	}
	if err != nil {
		return nil, broken(h.Format, err)
	}
	if img == nil {
		return nil, canceled(ctx)
	}
	img = upright(img, h.Orientation)
	img.FullW, img.FullH, img.Orientation, img.Format = h.W, h.H, h.Orientation, h.Format
	return img, nil
}

// reopen decodes the file of *s again with a loader that shrinks, in place of *s.
func reopen(s **source, data []byte, format string, shrink int, stop *int32) (*Image, error) {
	loader, _ := vipsFormat(format)
	next, err := open(loader, data, shrink)
	if err != nil {
		return nil, err
	}
	(*s).close()
	*s = next
	return next.srgb(1, needsProfile(next), stop)
}

// shrinks returns the factor for the loader and the factor for a box average after
// it; at most one is not 1.
func shrinks(h Header, minSide int) (load, box int) {
	if minSide <= 0 {
		return 1, 1
	}
	n := max(1, min(h.W, h.H)/minSide)
	switch h.Format {
	case "jpeg":
		for _, s := range []int{8, 4, 2} {
			if n >= s {
				return s, 1
			}
		}
		return 1, 1
	case "webp":
		return n, 1
	default:
		return 1, n
	}
}

// canceled is the error of a decode whose context ended.
func canceled(ctx context.Context) error {
	return &trilobite.Error{Op: "imageio.Decode", Code: trilobite.Canceled,
		Msg: "Decoding was given up before it was done.", Err: context.Cause(ctx)}
}
