package auth_test

import (
	"crypto/rand"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"trilobite"
	"trilobite/auth"
	"trilobite/store/sqlite"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// signedAt is when the golden requests were signed.
func signedAt() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// desk is an authenticator over a real store, with the service that makes its keys.
type desk struct {
	*auth.Authenticator
	keys  *auth.Keys
	store *sqlite.Store
	clock *clock
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	master := make([]byte, 32)
	_, _ = rand.Read(master)
	sealer, err := auth.NewSealer(master)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: signedAt()}
	return &desk{
		Authenticator: auth.New(auth.Config{Store: store, Sealer: sealer, Now: c.now}),
		keys:          &auth.Keys{Store: store, Sealer: sealer, Now: c.now},
		store:         store, clock: c,
	}
}

// adopt records a key of the given id and secret, which the service would not make.
func (d *desk) adopt(t *testing.T, id, secret, account string) {
	t.Helper()
	k := trilobite.Key{ID: id, Account: account, CreatedAt: d.clock.now(), Sealed: d.keys.Sealer.Seal([]byte(secret), id)}
	if err := d.store.CreateKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
}
