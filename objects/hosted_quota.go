package objects

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"gocloud.dev/blob"
)

// ErrQuota refuses what would make an account's buckets larger than Hosted.Quota.
var ErrQuota = errors.New("the account's buckets would hold more than its quota")

// A count of an account's bytes is made again after recount, for other machines write too,
// and before a refusal unless it is younger than recountLeast.
const (
	recount      = time.Minute
	recountLeast = time.Second
)

// usage is what one account has.
type usage struct {
	mu      sync.Mutex
	stored  int64 // bytes that were counted, and what this process changed since
	coming  int64 // bytes promised to what is being written
	counted time.Time
}

func (h *Hosted) usage(account string) *usage {
	u, _ := h.used.LoadOrStore(account, &usage{})
	return u.(*usage) //nolint:forcetypeassert // nothing else is stored
}

// take promises n more bytes to something that is being written.
func (h *Hosted) take(ctx context.Context, account string, n int64) error {
	u := h.usage(account)
	u.mu.Lock()
	defer u.mu.Unlock()
	full := func() bool { return u.stored+u.coming+n > h.Quota }
	if age := time.Since(u.counted); age > recount || full() && age > recountLeast {
		if err := h.count(ctx, account, u); err != nil {
			return err
		}
	}
	if full() {
		return ErrQuota
	}
	u.coming += n
	return nil
}

// count adds up what an account has stored, parts of uploads too.
func (h *Hosted) count(ctx context.Context, account string, u *usage) error {
	sum := int64(0)
	for it := h.root.List(&blob.ListOptions{Prefix: account + "/"}); ; {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			u.stored, u.counted = sum, time.Now()
			return nil
		} else if err != nil {
			return err
		}
		sum += o.Size
	}
}

// changed notes that an account has so many bytes more, or fewer.
func (h *Hosted) changed(account string, by, promised int64) {
	u := h.usage(account)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stored += by
	u.coming -= promised
}

// uncounted has an account's bytes counted again before the next are written.
func (h *Hosted) uncounted(account string) {
	u := h.usage(account)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.counted = time.Time{}
}

// size is what is stored at a place, 0 if nothing is.
func (h *Hosted) size(ctx context.Context, at string) (int64, error) {
	a, err := h.root.Attributes(ctx, at)
	switch {
	case err == nil:
		return a.Size, nil
	case errors.Is(missing(err), ErrNoObject):
		return 0, nil
	}
	return 0, err
}

// within bounds what body gives by the account's quota; what was stored at the place makes
// room. settle must hear whether the new content came to be there.
func (h *Hosted) within(ctx context.Context, account, at string, body io.Reader) (bounded io.Reader, settle func(stored bool), err error) {
	if h.Quota <= 0 {
		return body, func(bool) {}, nil
	}
	old, err := h.size(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	b := &boundedReader{Reader: body, ctx: ctx, hosted: h, account: account, free: old}
	return b, func(stored bool) {
		by := int64(0)
		if stored {
			by = b.read - old
		}
		h.changed(account, by, b.taken)
	}, nil
}

// boundedReader fails when its account is full.
type boundedReader struct {
	io.Reader
	ctx     context.Context //nolint:containedctx // of the one call that reads
	hosted  *Hosted
	account string
	free    int64 // bytes that need no room
	read    int64
	taken   int64
}

// Read is io.Reader's.
func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += int64(n)
	if more := b.read - b.free - b.taken; more > 0 {
		if full := b.hosted.take(b.ctx, b.account, more); full != nil {
			return 0, full
		}
		b.taken += more
	}
	return n, err
}
