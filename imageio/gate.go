package imageio

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"trilobite"
)

// Gate decodes images while the memory they need together stays under a bound, so that
// a burst of large pictures waits or is turned away and does not end the process. What
// a picture will need is estimated from its header.
type Gate struct {
	bytes   int64
	sem     *semaphore.Weighted
	queue   int64
	waiting atomic.Int64
	spare   pixels
}

// NewGate returns a gate for decodes of together at most bytes of memory, with room
// for queue more that wait for some to be freed.
func NewGate(bytes int64, queue int) *Gate {
	return &Gate{bytes: bytes, sem: semaphore.NewWeighted(bytes), queue: int64(queue)}
}

// Decode is the function Decode, admitted by the memory it needs. The caller calls
// release once it no longer needs the image; until then its pixels count. Then they are
// gone: their memory serves the next image.
//
// A picture that could never fit is trilobite.ImageTooLarge; one that finds the queue
// full is trilobite.Throttled; a context that ends in the queue is trilobite.Canceled.
func (g *Gate) Decode(ctx context.Context, data []byte, o Options) (img *Image, release func(), err error) {
	f, err := admit(data, o)
	if err != nil {
		return nil, nil, err
	}
	defer f.close()
	peak, rest := f.header.memory(o.MinSide)
	made := rest*int64(o.Copies) + o.More
	if rest += made; o.Steps != nil {
		peak += made // while it is decoded
	}
	peak = max(peak, rest)
	if err := g.acquire(ctx, f.header, peak); err != nil {
		return nil, nil, err
	}
	defer func() { // not by an error alone: what decodes may panic
		if img == nil {
			f.close() // before its memory counts as free
			g.sem.Release(peak)
		}
	}()
	f.spare = &g.spare
	if img, err = f.decode(ctx, o); err != nil {
		return nil, nil, err
	}
	f.close()
	if o.Steps != nil { // what they made on the way is gone
		rest = min(peak, int64(len(img.Pix)))
	}
	g.sem.Release(peak - rest) // decoded; only the pixels stay
	var done atomic.Bool
	return img, func() {
		if done.CompareAndSwap(false, true) {
			g.sem.Release(rest)
			g.spare.keep(img)
		}
	}, nil
}

// acquire takes n bytes, waiting where the queue has room.
func (g *Gate) acquire(ctx context.Context, h Header, n int64) error {
	const op = "imageio.Gate"
	if n > g.bytes {
		return &trilobite.Error{Op: op, Code: trilobite.ImageTooLarge, Msg: fmt.Sprintf(
			"The %s image of %d×%d pixels needs %d MB to decode; this server allows %d MB.",
			titles[h.Format], h.W, h.H, n>>20, g.bytes>>20)}
	}
	if g.sem.TryAcquire(n) {
		return nil
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.queue {
		return &trilobite.Error{Op: op, Code: trilobite.Throttled,
			Msg: "Too many images are being decoded; try again later."}
	}
	if g.sem.Acquire(ctx, n) != nil {
		return canceled(ctx)
	}
	return nil
}
