package auth

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"

	"trilobite"
)

// maxIDLength is how long AWS lets an access key id be.
const maxIDLength = 128

// known is a key in force, its secret opened, and its limiter.
type known struct {
	key     trilobite.Key
	secret  []byte
	limiter *rate.Limiter // kept across refreshes, or a key could outrun its rate
	until   time.Time     // then the store is asked again
}

// lookup returns the key, or nil if there is none in force. What it remembers of the
// store is at most cacheFor old; ids that do not exist are not remembered.
func (a *Authenticator) lookup(ctx context.Context, id string) (*known, error) {
	if len(id) > maxIDLength {
		return nil, nil // no such key
	}
	now := a.Now()
	a.mu.Lock()
	old := a.known[id]
	a.mu.Unlock()
	if old != nil && now.Before(old.until) {
		return old, nil
	}
	k, err := a.Store.Key(ctx, id)
	if err != nil && trilobite.CodeOf(err) != trilobite.NotFound {
		return nil, fmt.Errorf("looking up key %s: %w", id, err)
	}
	if err != nil || k.Revoked() {
		a.mu.Lock()
		delete(a.known, id)
		a.mu.Unlock()
		return nil, nil // no key, no error: the caller refuses in its own words
	}
	secret, err := a.Sealer.Open(k.Sealed, id)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	fresh := &known{key: k, secret: secret, until: now.Add(cacheFor)}
	if old = a.known[id]; old != nil && old.key.RatePerSecond == k.RatePerSecond && old.key.Burst == k.Burst {
		fresh.limiter = old.limiter
	} else {
		fresh.limiter = newLimiter(k)
	}
	a.known[id] = fresh
	return fresh, nil
}

// newLimiter returns a token bucket for the key's rate. Without a burst it holds what one
// second allows.
func newLimiter(k trilobite.Key) *rate.Limiter {
	if k.RatePerSecond == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	burst := k.Burst
	if burst == 0 {
		burst = max(1, int(math.Ceil(k.RatePerSecond)))
	}
	return rate.NewLimiter(rate.Limit(k.RatePerSecond), burst)
}
