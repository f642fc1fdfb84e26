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

	// Copies is how many images of its size will be made of the image, and More how many
	// bytes of other images; a Gate counts their memory too.
	Copies int
	More   int64

	// Steps change the image while it is decoded; Image.Steps says that they have.
	Steps Steps
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
	return f.decode(ctx, o)
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

// decode decodes the file as o says, but for its limits.
func (f *file) decode(ctx context.Context, o Options) (*Image, error) {
	stop := int32(0)
	defer context.AfterFunc(ctx, func() { atomic.StoreInt32(&stop, 1) })()
	if ctx.Err() != nil {
		return nil, canceled(ctx)
	}
	img, err := f.through(o, &stop)
	if err != nil && ctx.Err() != nil {
		return nil, canceled(ctx)
	} else if err != nil {
		return nil, err
	}
	h := f.header
	img.FullW, img.FullH, img.Orientation, img.Format, img.Steps = h.W, h.H, h.Orientation, h.Format, o.Steps
	return img, nil
}

// through decodes the upright image and runs its steps.
func (f *file) through(o Options, stop *int32) (*Image, error) {
	h := f.header
	if o.Steps != nil && h.Format != "bmp" {
		return f.flow(o, stop)
	}
	img, err := f.pixels(o.MinSide, stop)
	if err != nil {
		return nil, broken(h.Format, err)
	}
	img = img.turned(upright[h.Orientation])
	if o.Steps == nil {
		return img, nil
	}
	img.FullW, img.FullH = h.W, h.H
	flow, err := img.Flow()
	if err != nil {
		return nil, err
	}
	defer flow.Close()
	flow.stop = stop
	return flow.run(o.Steps)
}

// pixels decodes to sRGB, not yet turned; errStopped says that *stop was set.
func (f *file) pixels(minSide int, stop *int32) (*Image, error) {
	load, box := shrinks(f.header, minSide)
	if f.header.Format == "bmp" {
		return decodeBMP(f.data, box, stop)
	}
	if err := f.reopen(load); err != nil {
		return nil, err
	}
	return f.source.srgb(box, needsProfile(f.source), stop, f.spare)
}

// reopen opens the file again where its loader shrinks it: it is told when it opens.
func (f *file) reopen(shrink int) error {
	if shrink == 1 {
		return nil
	}
	loader, _ := vipsFormat(f.header.Format)
	small, err := open(loader, f.data, shrink)
	if err != nil {
		return err
	}
	f.source.close()
	f.source = small
	return nil
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
