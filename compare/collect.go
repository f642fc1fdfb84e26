package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"trilobite"
	"trilobite/dataset"
)

// collector asks one route about images, each once.
type collector struct {
	c     *Config
	r     *Route
	ask   Asker
	from  string // the Asker's source, and what it was trained on
	dir   string
	limit *rate.Limiter
	calls atomic.Int64 // that were answered in this process
}

func newCollector(c *Config, r *Route, ask Asker, trainedOn string) *collector {
	from := ask.Source()
	if trainedOn != "" {
		from += " trained on " + trainedOn
	}
	k := &collector{c: c, r: r, ask: ask, from: from, dir: folder(c.Dir).answers(r.Name, from), limit: rate.NewLimiter(rate.Inf, 1)}
	if r.Remote != nil && r.Remote.Rate > 0 {
		k.limit = rate.NewLimiter(rate.Limit(r.Remote.Rate), 1)
	}
	return k
}

// all returns the record of every image. Routes of this machine are asked one image at a
// time, so that latency is an image's own; remote ones Remote.Clients at a time.
func (k *collector) all(ctx context.Context, images []dataset.Image) ([]*record, error) {
	records := make([]*record, len(images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(1)
	if k.r.Remote != nil {
		g.SetLimit(max(1, k.r.Remote.Clients))
	}
	var mu sync.Mutex
	done := 0
	for i, img := range images {
		g.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			records[i], err = k.one(ctx, img)
			mu.Lock()
			defer mu.Unlock()
			done++
			k.c.show(Progress{k.r.Name, "asked", done, len(images)})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("route %s: %w", k.r.Name, err)
	}
	return records, nil
}

// one returns the kept record of an image, or asks.
func (k *collector) one(ctx context.Context, img dataset.Image) (*record, error) {
	data, err := os.ReadFile(img.File)
	if err != nil {
		return nil, err
	}
	sha := digest(data)
	if r, err := folder(k.c.Dir).load(k.dir, sha); r != nil || err != nil {
		return r, err
	}
	r := &record{Image: img.File, SHA256: sha, Source: k.from, Bytes: len(data)}
	for try := 0; ; try++ {
		if err := k.limit.Wait(ctx); err != nil {
			return nil, err
		}
		err := k.call(ctx, data, r)
		switch code := trilobite.CodeOf(err); {
		case err == nil:
			return r, folder(k.c.Dir).save(k.dir, r)
		case code == trilobite.InvalidImage || code == trilobite.ImageTooLarge || code == trilobite.Unsupported:
			r.Failed = trilobite.Message(err)
			return r, folder(k.c.Dir).save(k.dir, r)
		case code != trilobite.Throttled || k.r.Remote == nil:
			return nil, fmt.Errorf("%s: %w", img.File, err)
		case try >= k.r.Remote.Retries:
			return nil, &trilobite.Error{Op: "compare", Code: code, Err: err, Msg: fmt.Sprintf("%s So it answered %d times, each later than the last. Ask more slowly (--rate, --calls-at-a-time) or another day.", trilobite.Message(err), try+1)}
		}
		select { // twice as long each time, as the vendors ask
		case <-time.After(firstWait << min(try, 6)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// firstWait is how long a refused call waits before it is tried again.
const firstWait = 250 * time.Millisecond

// callTime is how long a paid call may take.
const callTime = time.Minute

// call makes one call and fills the record in. A call that was refused, or whose image was,
// is not billed.
func (k *collector) call(ctx context.Context, image []byte, r *record) error {
	now := k.c.clock()
	if k.r.Remote != nil {
		if k.c.Budget == nil {
			return errors.New("no spending cap is set for calls that are paid")
		}
		if err := k.c.Budget.pay(k.r.Name, r.Image, k.r.Remote.PerCall, now); err != nil {
			return err
		}
	}
	if k.r.Remote != nil { // what is paid for is waited for, whoever gives up meanwhile
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), callTime)
		defer stop()
	}
	start := time.Now()
	answer, err := k.ask.Ask(ctx, image)
	if err != nil {
		if k.r.Remote != nil && trilobite.CodeOf(err) != trilobite.Internal && trilobite.CodeOf(err) != trilobite.Canceled {
			return errors.Join(err, k.c.Budget.refund(k.r.Name, r.Image, k.r.Remote.PerCall, now))
		}
		return err
	}
	k.calls.Add(1)
	r.Asked, r.Seconds = now, time.Since(start).Seconds()
	r.Raw, answer.Raw = rawJSON(answer.Raw), nil
	r.Answer = answer
	return nil
}
