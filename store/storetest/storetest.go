// Package storetest holds what every store must do, as one suite of tests that each
// implementation runs on itself: storetest.Keys(t, open).
package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
)

// The accounts of the suite.
const (
	ours   = "111111111111"
	theirs = "222222222222"
)

// start is when the suite's keys are made; stores keep milliseconds.
func start() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC) }

func key(id, account string, age time.Duration) trilobite.Key {
	return trilobite.Key{
		ID: id, Account: account, Name: "the key " + id, CreatedAt: start().Add(age),
		RatePerSecond: 2.5, Burst: 7, Sealed: []byte("sealed\x00" + id),
	}
}

// Keys checks an trilobite.KeyStore. open returns an empty store each time, and closes it when
// the test ends.
func Keys(t *testing.T, open func(t *testing.T) trilobite.KeyStore) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, trilobite.KeyStore){
		"create and read":              createAndRead,
		"an id is taken once":          takenOnce,
		"lists are ordered and scoped": lists,
		"rotate":                       rotate,
		"revoke":                       revoke,
		"other accounts' keys":         otherAccounts,
		"concurrent writers":           concurrentWriters,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func create(t *testing.T, s trilobite.KeyStore, keys ...trilobite.Key) {
	t.Helper()
	for _, k := range keys {
		if err := s.CreateKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
}

func wantKey(t *testing.T, s trilobite.KeyStore, want trilobite.Key) {
	t.Helper()
	got, err := s.Key(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Key(%s) (-want +got):\n%s", want.ID, diff)
	}
}

func wantCode(t *testing.T, what string, err error, code trilobite.Code) {
	t.Helper()
	if err == nil || trilobite.CodeOf(err) != code {
		t.Errorf("%s: %v, want code %s", what, err, code)
	}
}

func createAndRead(t *testing.T, s trilobite.KeyStore) {
	plain := trilobite.Key{ID: "PLAIN", Account: ours, CreatedAt: start(), Sealed: []byte{0}}
	odd := key("ODD", ours, 0)
	odd.Name = "naïve 'quotes'; -- " + strings.Repeat("é", 80)
	create(t, s, plain, odd)
	wantKey(t, s, plain)
	wantKey(t, s, odd)
	_, err := s.Key(t.Context(), "NONE")
	wantCode(t, "an unknown key", err, trilobite.NotFound)
	_, err = s.Key(t.Context(), "plain")
	wantCode(t, "an id in another case", err, trilobite.NotFound)
}

func takenOnce(t *testing.T, s trilobite.KeyStore) {
	first := key("A", ours, 0)
	create(t, s, first)
	wantCode(t, "the same id again", s.CreateKey(t.Context(), key("A", theirs, time.Hour)), trilobite.Exists)
	wantKey(t, s, first)
}

func lists(t *testing.T, s trilobite.KeyStore) {
	a, b, c := key("A", ours, 2*time.Hour), key("B", ours, time.Hour), key("C", theirs, 3*time.Hour)
	create(t, s, a, b, c)
	for account, want := range map[string][]trilobite.Key{ours: {b, a}, theirs: {c}, "": {b, a, c}, "333333333333": nil} {
		got, err := s.Keys(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		if len(got)+len(want) > 0 {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Keys(%q) (-want +got):\n%s", account, diff)
			}
		}
	}
}

func rotate(t *testing.T, s trilobite.KeyStore) {
	k := key("A", ours, 0)
	create(t, s, k, key("B", ours, 0))
	k.Sealed, k.RotatedAt = []byte("new"), start().Add(time.Minute)
	if err := s.RotateKey(t.Context(), ours, "A", k.Sealed, k.RotatedAt); err != nil {
		t.Fatal(err)
	}
	wantKey(t, s, k)
	wantKey(t, s, key("B", ours, 0))
	wantCode(t, "an unknown key", s.RotateKey(t.Context(), ours, "NONE", nil, start()), trilobite.NotFound)
}

func revoke(t *testing.T, s trilobite.KeyStore) {
	k := key("A", ours, 0)
	create(t, s, k, key("B", ours, 0))
	k.RevokedAt = start().Add(time.Minute)
	for range 2 {
		if err := s.RevokeKey(t.Context(), ours, "A", k.RevokedAt); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RevokeKey(t.Context(), ours, "A", start().Add(time.Hour)); err != nil {
		t.Errorf("revoking again: %v", err)
	}
	wantKey(t, s, k) // with the time of the first
	wantKey(t, s, key("B", ours, 0))
	wantCode(t, "rotating a revoked key", s.RotateKey(t.Context(), ours, "A", []byte("new"), start()), trilobite.Invalid)
	wantKey(t, s, k)
	wantCode(t, "an unknown key", s.RevokeKey(t.Context(), ours, "NONE", start()), trilobite.NotFound)
}

func otherAccounts(t *testing.T, s trilobite.KeyStore) {
	k := key("A", theirs, 0)
	create(t, s, k)
	wantCode(t, "rotating another account's key", s.RotateKey(t.Context(), ours, "A", []byte("new"), start()), trilobite.NotFound)
	wantCode(t, "revoking another account's key", s.RevokeKey(t.Context(), ours, "A", start()), trilobite.NotFound)
	wantKey(t, s, k)
	k.Sealed, k.RotatedAt, k.RevokedAt = []byte("new"), start(), start().Add(time.Second)
	if err := errors.Join(
		s.RotateKey(t.Context(), "", "A", k.Sealed, k.RotatedAt),
		s.RevokeKey(t.Context(), "", "A", k.RevokedAt),
	); err != nil {
		t.Errorf("with no account, any key: %v", err)
	}
	wantKey(t, s, k)
}

// concurrentWriters makes keys from many goroutines while others read: nothing is lost
// and nobody is told the store is busy.
func concurrentWriters(t *testing.T, s trilobite.KeyStore) {
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("K%d-%d", w, i)
				if err := s.CreateKey(t.Context(), key(id, ours, 0)); err != nil {
					t.Error(err)
				}
				if err := s.RevokeKey(t.Context(), ours, id, start()); err != nil {
					t.Error(err)
				}
				if k, err := s.Key(t.Context(), id); err != nil || !k.Revoked() {
					t.Errorf("after its revocation %s is %+v, %v", id, k, err)
				}
			}
		})
	}
	wg.Wait()
	if got, err := s.Keys(t.Context(), ours); err != nil || len(got) != writers*each {
		t.Errorf("%d keys, %v, want %d", len(got), err, writers*each)
	}
}
