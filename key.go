package trilobite

import (
	"context"
	"time"
)

// Key is a caller's key. Its secret is kept sealed.
type Key struct {
	ID            string // 20 characters A-Z and 2-7, TRLB first
	Account       string // 12 digits: scopes what the caller sees
	Name          string // for people
	CreatedAt     time.Time
	RotatedAt     time.Time // zero: never
	RevokedAt     time.Time // zero: in force
	RatePerSecond float64   // requests, on average; 0: no limit
	Burst         int       // requests at once
	Sealed        []byte    // the secret, as auth.Sealer keeps it
}

// Revoked reports whether the key no longer serves.
func (k Key) Revoked() bool { return !k.RevokedAt.IsZero() }

// KeyStore keeps keys. Every method is atomic, times come back to the millisecond in
// UTC, and where an account is given, a key of another account is NotFound. The account
// "" stands for every account: only the command line, which owns the store, asks so.
// store/storetest holds what an implementation must do.
type KeyStore interface {
	// CreateKey records a key. It fails with Exists if the id is taken.
	CreateKey(ctx context.Context, k Key) error
	// Key returns a key of any account, revoked ones too.
	Key(ctx context.Context, id string) (Key, error)
	// Keys returns the account's keys, oldest first, revoked ones too.
	Keys(ctx context.Context, account string) ([]Key, error)
	// RotateKey replaces a key's sealed secret. It fails with Invalid if the key is revoked.
	RotateKey(ctx context.Context, account, id string, sealed []byte, now time.Time) error
	// RevokeKey ends a key. Revoking it again changes nothing.
	RevokeKey(ctx context.Context, account, id string, now time.Time) error
}
