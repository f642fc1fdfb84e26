package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"trilobite"
)

// DefaultWindow is how far a signature's time may be from ours. Rekognition's own errors
// say 5 minutes ("Signature expired: … (… - 5 min.)").
const DefaultWindow = 5 * time.Minute

// cacheFor is how long a key is remembered, and so how long a revoked one may still serve.
const cacheFor = 500 * time.Millisecond

// Config is what an Authenticator works with.
type Config struct {
	Store  trilobite.KeyStore
	Sealer *Sealer
	Window time.Duration    // 0: DefaultWindow
	Now    func() time.Time // nil: time.Now
}

// Authenticator verifies callers and holds them to their rates. It is safe for concurrent
// use. Its refusals are trilobite.Error of code Unauthorized or Throttled.
type Authenticator struct {
	Config
	off bool

	mu    sync.Mutex
	known map[string]*known // by key id; only keys that exist
}

// New returns an authenticator for the keys of c.Store.
func New(c Config) *Authenticator {
	if c.Window == 0 {
		c.Window = DefaultWindow
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Authenticator{Config: c, known: map[string]*known{}}
}

// Off returns an authenticator that lets everyone in as DefaultAccount, whatever they
// sign with.
func Off() *Authenticator { return &Authenticator{off: true} }

// SigV4 says who signed r for service (AWS Signature Version 4, in the Authorization
// header or presigned in the query). It calls body only when the rest is in order and the
// key exists, so that strangers cannot make us read and hash.
//
// A session token is not checked, for no key here has one, but it must be signed.
func (a *Authenticator) SigV4(r *http.Request, service string, body func() ([]byte, error)) (Identity, error) {
	s, err := parseSignature(r)
	if a.off {
		return Identity{Account: DefaultAccount, Region: s.regionOr(DefaultRegion)}, nil
	}
	if err != nil {
		return Identity{}, err
	}
	if err := s.check(r, service, a.Now(), a.Window); err != nil {
		return Identity{}, err
	}
	k, err := a.lookup(r.Context(), s.keyID)
	if err != nil {
		return Identity{}, err
	}
	if k == nil {
		return Identity{}, refuse(Unrecognized, "The security token included in the request is invalid.")
	}
	data, err := body()
	if err != nil {
		return Identity{}, err
	}
	if h := r.Header.Get("X-Amz-Content-Sha256"); h != "" {
		if sum := sha256.Sum256(data); !strings.EqualFold(h, hex.EncodeToString(sum[:])) {
			return Identity{}, refuse(InvalidSignature, "The provided 'x-amz-content-sha256' header does not match what was computed.")
		}
	}
	if !s.matches(r, data, k.secret) {
		return Identity{}, refuse(InvalidSignature, mismatch)
	}
	who, err := a.admit(k)
	who.Region = s.regionOr(DefaultRegion)
	return who, err
}

// Request says whose API key r carries, as Google's clients send one: in x-goog-api-key,
// in ?key=, or as a Bearer token.
func (a *Authenticator) Request(r *http.Request) (Identity, error) {
	token := r.Header.Get("X-Goog-Api-Key")
	if token == "" {
		token = r.URL.Query().Get("key")
	}
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token != "" || !strings.EqualFold(scheme, "Bearer") {
		return a.Token(r.Context(), token)
	}
	who, err := a.Token(r.Context(), strings.TrimSpace(bearer))
	if errors.Is(err, InvalidAPIKey) {
		err = refuse(Unrecognized, "Request had invalid authentication credentials.")
	}
	return who, err
}

// Token says whose "<key id>.<secret>" API key is.
func (a *Authenticator) Token(ctx context.Context, token string) (Identity, error) {
	if a.off {
		return Identity{Account: DefaultAccount}, nil
	}
	if token == "" {
		return Identity{}, &trilobite.Error{Op: "auth.Token", Code: trilobite.Unauthorized, Msg: "The request has no API key.", Err: MissingToken}
	}
	id, secret, _ := strings.Cut(token, ".")
	k, err := a.lookup(ctx, id)
	if err != nil {
		return Identity{}, err
	}
	want, got := [sha256.Size]byte{}, sha256.Sum256([]byte(secret)) // hashed, for equal lengths
	if k != nil {
		want = sha256.Sum256(k.secret)
	}
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return Identity{}, &trilobite.Error{Op: "auth.Token", Code: trilobite.Unauthorized, Msg: "API key not valid. Please pass a valid API key.", Err: InvalidAPIKey}
	}
	return a.admit(k)
}

// Middleware lets requests through whose API key is valid, with who is calling in their
// context, and hands the others to refused.
func (a *Authenticator) Middleware(next http.Handler, refused func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := a.Request(r)
		if err != nil {
			refused(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(WithIdentity(r.Context(), who)))
	})
}

// admit charges the key's rate.
func (a *Authenticator) admit(k *known) (Identity, error) {
	if !k.limiter.AllowN(a.Now(), 1) {
		return Identity{}, &trilobite.Error{
			Op: "auth", Code: trilobite.Throttled,
			Msg: fmt.Sprintf("Rate exceeded: key %s may send %g requests per second.", k.key.ID, k.key.RatePerSecond),
		}
	}
	return Identity{Account: k.key.Account, KeyID: k.key.ID}, nil
}
