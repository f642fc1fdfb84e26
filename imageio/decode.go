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

	// Copies is how many images of its size will be made of the image; a Gate counts their
	// memory too.
	Copies int
}

// Decode turns a file into an upright 8-bit sRGB image; the package comment says how.
//
// A file over a limit is trilobite.ImageTooLarge, one that is no image, or a damaged
// one, trilobite.InvalidImage; when ctx ends first, the error is trilobite.Canceled
// and wraps its cause. ctx is read between strips of rows: formats that can only be
// decoded whole (interlaced PNG, progressive JPEG, AVIF) answer late, by at most the
// time that Limits leave them.
func Decode(ctx context.Context, data []byte, o Options) (*Image, error) {
	f, err := admit(data, o)
	if err != nil {
		return nil, err
	}
	defer f.close()
	return f.decode(ctx, o.MinSide)
}

// file is an image whose header is read and within the limits.
type file struct {
	data   []byte
	header Header
	source *source // nil for BMP, and when closed
	peak   int64   // estimated bytes of memory to decode it
	spare  *pixels // where the pixels' memory comes from; nil: new memory
}

// trimAbove is the estimated memory, in bytes, above which a decode's memory is given
// back to the system at once. The C library would keep it, once per thread: after eight
// clients with 100-megapixel PNGs, 900 MB. Below it the call is not worth its time.
const trimAbove = 32 << 20

// close frees what the decoder holds. Calls after the first do nothing.
func (f *file) close() {
	if f.source == nil {
		return
	}
	f.source.close()
	f.source = nil
	if f.peak > trimAbove {
		trim()
	}
}

// admit opens data if its length and its header keep the limits.
func admit(data []byte, o Options) (*file, error) {
	limits := o.Limits.or()
	if err := limits.bytes(len(data)); err != nil {
		return nil, err
	}
	h, s, err := probe(data)
	if err != nil {
		return nil, err
	}
	f := &file{data: data, header: h, source: s}
	if err := limits.header(h, o.MinSide); err != nil {
		f.close()
		return nil, err
	}
	f.peak, _ = h.memory(o.MinSide)
	return f, nil
}

// decode decodes the file, shrinking while the shorter side keeps minSide pixels.
func (f *file) decode(ctx context.Context, minSide int) (*Image, error) {
	stop := int32(0)
	defer context.AfterFunc(ctx, func() { atomic.StoreInt32(&stop, 1) })()
	if ctx.Err() != nil {
		return nil, canceled(ctx)
	}
	img, err := f.pixels(minSide, &stop)
	if err != nil {
		return nil, broken(f.header.Format, err)
	}
	if img == nil {
		return nil, canceled(ctx)
	}
	h := f.header
	img = upright(img, h.Orientation)
	img.FullW, img.FullH, img.Orientation, img.Format = h.W, h.H, h.Orientation, h.Format
	return img, nil
}

// pixels decodes to sRGB, not yet turned; nil without an error when *stop was set.
func (f *file) pixels(minSide int, stop *int32) (*Image, error) {
	load, box := shrinks(f.header, minSide)
	if f.header.Format == "bmp" {
		return decodeBMP(f.data, box, stop)
	}
	if load > 1 { // only the loader itself can shrink, and it is told when it opens
		loader, _ := vipsFormat(f.header.Format)
		small, err := open(loader, f.data, load)
		if err != nil {
			return nil, err
		}
		f.source.close()
		f.source = small
	}
	return f.source.srgb(box, needsProfile(f.source), stop, f.spare)
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
