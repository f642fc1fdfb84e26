package auth

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"trilobite"
)

// Keys makes, lists, rotates and revokes keys.
type Keys struct {
	Store  trilobite.KeyStore
	Sealer *Sealer
	Now    func() time.Time // nil: time.Now
}

// NewKey is what a new key is to be.
type NewKey struct {
	Account       string  // 12 digits; empty: DefaultAccount
	Name          string  // up to 100 characters
	RatePerSecond float64 // 0: no limit
	Burst         int     // 0: what one second allows, at least 1
}

// Create makes a key and returns it with its secret, which is told this once.
func (s *Keys) Create(ctx context.Context, n NewKey) (trilobite.Key, string, error) {
	if n.Account == "" {
		n.Account = DefaultAccount
	}
	if err := n.check(); err != nil {
		return trilobite.Key{}, "", err
	}
	k := trilobite.Key{
		ID: newID(), Account: n.Account, Name: n.Name, CreatedAt: s.now(),
		RatePerSecond: n.RatePerSecond, Burst: n.Burst,
	}
	secret := newSecret()
	k.Sealed = s.Sealer.Seal([]byte(secret), k.ID)
	if err := s.Store.CreateKey(ctx, k); err != nil {
		return trilobite.Key{}, "", fmt.Errorf("creating a key: %w", err)
	}
	return k, secret, nil
}

// List returns the account's keys, oldest first; all keys for "".
func (s *Keys) List(ctx context.Context, account string) ([]trilobite.Key, error) {
	return s.Store.Keys(ctx, account)
}

// Rotate gives a key a new secret and returns it. The old one ends within a second on
// servers that run.
func (s *Keys) Rotate(ctx context.Context, account, id string) (string, error) {
	secret := newSecret()
	if err := s.Store.RotateKey(ctx, account, id, s.Sealer.Seal([]byte(secret), id), s.now()); err != nil {
		return "", fmt.Errorf("rotating key %s: %w", id, err)
	}
	return secret, nil
}

// Revoke ends a key for good, within a second on servers that run.
func (s *Keys) Revoke(ctx context.Context, account, id string) error {
	if err := s.Store.RevokeKey(ctx, account, id, s.now()); err != nil {
		return fmt.Errorf("revoking key %s: %w", id, err)
	}
	return nil
}

func (s *Keys) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (n NewKey) check() error {
	switch {
	case !ValidAccount(n.Account):
		return invalid("An account is 12 digits, not " + fmt.Sprintf("%q.", n.Account))
	case utf8.RuneCountInString(n.Name) > 100 || !utf8.ValidString(n.Name) || strings.ContainsFunc(n.Name, unicode.IsControl):
		return invalid("A key's name is at most 100 printable characters.")
	case !(n.RatePerSecond >= 0 && n.RatePerSecond <= 1e6): // NaN too
		return invalid("A key's rate is 0 to 1,000,000 requests per second.")
	case n.Burst < 0 || n.Burst > 1e6:
		return invalid("A key's burst is 0 to 1,000,000 requests.")
	}
	return nil
}

func invalid(msg string) error {
	return &trilobite.Error{Op: "auth.Keys", Code: trilobite.Invalid, Msg: msg}
}

// ValidAccount reports whether s is 12 digits.
func ValidAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// newID returns a random key id in the form of AWS access key ids: a 4-letter prefix and
// 16 characters of base32, 80 bits.
func newID() string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails, says crypto/rand
	return "TRLB" + base32.StdEncoding.EncodeToString(b)
}

// newSecret returns 40 random letters and digits, 238 bits: as long as AWS's secrets, but
// fit for a query string.
func newSecret() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	out := make([]byte, 0, 40)
	for b := make([]byte, 64); len(out) < cap(out); {
		_, _ = rand.Read(b) // never fails, says crypto/rand
		for _, x := range b {
			if int(x) < 4*len(alphabet) && len(out) < cap(out) { // 248: no letter likelier than another
				out = append(out, alphabet[int(x)%len(alphabet)])
			}
		}
	}
	return string(out)
}
