package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/auth"
)

// emptyStore has no keys; a method a test does not expect panics.
type emptyStore struct{ trilobite.KeyStore }

func (emptyStore) Key(context.Context, string) (trilobite.Key, error) {
	return trilobite.Key{}, &trilobite.Error{Code: trilobite.NotFound, Msg: "No key."}
}

// brokenStore cannot be read.
type brokenStore struct{ trilobite.KeyStore }

func (brokenStore) Key(context.Context, string) (trilobite.Key, error) {
	return trilobite.Key{}, errors.New("disk on fire")
}

func TestRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	k, secret, err := d.keys.Create(t.Context(), auth.NewKey{Account: account})
	if err != nil {
		t.Fatal(err)
	}
	token := k.ID + "." + secret
	tests := []struct {
		name, header, value, query string
		refused                    error // an auth.Reason
	}{
		{"x-goog-api-key", "X-Goog-Api-Key", token, "", nil},
		{"key in the query", "", "", "?key=" + token, nil},
		{"bearer", "Authorization", "Bearer " + token, "", nil},
		{"bearer in small letters", "Authorization", "bearer  " + token, "", nil},
		{"nothing", "", "", "", auth.MissingToken},
		{"basic", "Authorization", "Basic " + token, "", auth.MissingToken},
		{"id alone", "X-Goog-Api-Key", k.ID, "", auth.InvalidAPIKey},
		{"id and a dot", "X-Goog-Api-Key", k.ID + ".", "", auth.InvalidAPIKey},
		{"secret alone", "X-Goog-Api-Key", "." + secret, "", auth.InvalidAPIKey},
		{"secret cut", "X-Goog-Api-Key", token[:len(token)-1], "", auth.InvalidAPIKey},
		{"secret longer", "X-Goog-Api-Key", token + "x", "", auth.InvalidAPIKey},
		{"another id", "X-Goog-Api-Key", "TRLBNOBODY." + secret, "", auth.InvalidAPIKey},
		{"bearer of nothing", "Authorization", "Bearer ", "", auth.MissingToken},
		{"bearer with another secret", "Authorization", "Bearer " + token + "x", "", auth.Unrecognized},
		{"the header wins", "X-Goog-Api-Key", "x", "?key=" + token, auth.InvalidAPIKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/v1/images:annotate"+tt.query, nil)
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			who, err := d.Request(r)
			if !errors.Is(err, tt.refused) || (err == nil) != (who == auth.Identity{Account: account, KeyID: k.ID}) {
				t.Errorf("Request = %+v, %v; want %v", who, err, tt.refused)
			}
			if err != nil && trilobite.CodeOf(err) != trilobite.Unauthorized {
				t.Errorf("code %s", trilobite.CodeOf(err))
			}
		})
	}
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	k, secret, err := d.keys.Create(t.Context(), auth.NewKey{Account: account})
	if err != nil {
		t.Fatal(err)
	}
	h := d.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		if want := (auth.Identity{Account: account, KeyID: k.ID}); !ok || who != want {
			t.Errorf("identity %+v, %t", who, ok)
		}
	}), func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, trilobite.Message(err), http.StatusForbidden)
	})
	for query, want := range map[string]int{"?key=" + k.ID + "." + secret: http.StatusOK, "": http.StatusForbidden} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+query, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", query, w.Code, want)
		}
	}
}

func TestOff(t *testing.T) {
	t.Parallel()
	a := auth.Off()
	want := auth.Identity{Account: "000000000000", Region: "us-east-1"}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 forged")
	who, err := a.SigV4(r, "rekognition", func() ([]byte, error) { return nil, errors.New("read") })
	if diff := cmp.Diff(want, who); diff != "" || err != nil {
		t.Errorf("SigV4 %v (-want +got):\n%s", err, diff)
	}
	want.Region = "" // which only a signature has
	who, err = a.Request(r)
	if diff := cmp.Diff(want, who); diff != "" || err != nil {
		t.Errorf("Request %v (-want +got):\n%s", err, diff)
	}
}

// TestChanges sees that a revoked key and an old secret end within a second on a server
// that knows them, by either way in.
func TestChanges(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	k, secret, err := d.keys.Create(t.Context(), auth.NewKey{Account: account})
	if err != nil {
		t.Fatal(err)
	}
	enter := func(secret string) error {
		_, err := d.Token(t.Context(), k.ID+"."+secret)
		return err
	}
	if err := enter(secret); err != nil {
		t.Fatal(err)
	}
	rotated, err := d.keys.Rotate(t.Context(), account, k.ID)
	if err != nil {
		t.Fatal(err)
	}
	d.clock.advance(time.Second)
	if err := enter(secret); !errors.Is(err, auth.InvalidAPIKey) {
		t.Errorf("a second after its rotation, the old secret: %v", err)
	}
	if err := enter(rotated); err != nil {
		t.Errorf("a second after its rotation, the new secret: %v", err)
	}
	if err := d.keys.Revoke(t.Context(), account, k.ID); err != nil {
		t.Fatal(err)
	}
	d.clock.advance(time.Second)
	if err := enter(rotated); !errors.Is(err, auth.InvalidAPIKey) {
		t.Errorf("a second after its revocation: %v", err)
	}
}

// TestRate sees the bucket empty, fill and outlive a refresh from the store.
func TestRate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	slow, slowSecret, err := d.keys.Create(t.Context(), auth.NewKey{RatePerSecond: 2, Burst: 3})
	if err != nil {
		t.Fatal(err)
	}
	free, freeSecret, err := d.keys.Create(t.Context(), auth.NewKey{})
	if err != nil {
		t.Fatal(err)
	}
	count := func(k trilobite.Key, secret string, n int) (ok int) {
		for range n {
			switch _, err := d.Token(t.Context(), k.ID+"."+secret); {
			case err == nil:
				ok++
			case trilobite.CodeOf(err) != trilobite.Throttled:
				t.Fatal(err)
			}
		}
		return ok
	}
	if got := count(slow, slowSecret, 10); got != 3 {
		t.Errorf("at first %d of 10 got in, want the burst of 3", got)
	}
	d.clock.advance(time.Second)
	if got := count(slow, slowSecret, 10); got != 2 {
		t.Errorf("after a second %d of 10 got in, want 2", got)
	}
	if got := count(free, freeSecret, 1000); got != 1000 {
		t.Errorf("without a rate %d of 1000 got in", got)
	}
	for range 10 { // a wrong secret costs the key nothing
		_, _ = d.Token(t.Context(), slow.ID+".wrong")
	}
	d.clock.advance(500 * time.Millisecond)
	if got := count(slow, slowSecret, 1); got != 1 {
		t.Error("strangers used up the key's rate")
	}
}

func TestBrokenStore(t *testing.T) {
	t.Parallel()
	a := auth.New(auth.Config{Store: brokenStore{}})
	if _, err := a.Token(t.Context(), "TRLBX.y"); trilobite.CodeOf(err) != trilobite.Internal || trilobite.Message(err) != "Internal error." {
		t.Errorf("Token: %v", err)
	}
}
