// Package auth says who is calling.
//
// Every key belongs to a 12-digit account, and the account scopes what its caller sees.
// One key serves in two ways: as AWS credentials, whose signature (SigV4) is verified in
// full, and as "<key id>.<secret>" where Google's clients put an API key or a token.
// Secrets are kept sealed under a master key, because SigV4 needs them in clear.
//
// Start at authenticator.go. sigv4.go reads a signature out of a request, canonical.go
// rebuilds what was signed; keys.go makes, rotates and revokes keys for the command line.
// How a refusal looks on the wire is each API's own business.
package auth

import (
	"context"

	"trilobite"
)

// DefaultAccount is who everyone is while authentication is off, and whose a key is that
// names no account.
const DefaultAccount = "000000000000"

// DefaultRegion is where a request is that does not say so.
const DefaultRegion = "us-east-1"

// Identity is who is calling.
type Identity struct {
	Account string // 12 digits
	KeyID   string // empty while authentication is off
	Region  string // that a signature was made for; "" for other credentials
}

type identityKey struct{}

// WithIdentity returns a context that carries who.
func WithIdentity(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, who)
}

// FromContext returns who is calling, and whether that was established.
func FromContext(ctx context.Context) (Identity, bool) {
	who, ok := ctx.Value(identityKey{}).(Identity)
	return who, ok
}

// Reason is why a caller is refused: a signature as AWS calls it, an API key as Google
// does. It is the cause in a trilobite.Error of code Unauthorized.
type Reason string

// The reasons.
const (
	MissingToken     Reason = "MissingAuthenticationTokenException" // not signed at all
	Incomplete       Reason = "IncompleteSignatureException"        // a part of the signature is missing or malformed
	Unrecognized     Reason = "UnrecognizedClientException"         // no such key, or a revoked one
	InvalidSignature Reason = "InvalidSignatureException"           // wrong, stale, or for something else
	InvalidAPIKey    Reason = "API_KEY_INVALID"                     // no such API key, as in google.api.ErrorReason
)

// Error returns the name.
func (r Reason) Error() string { return string(r) }

// Exception returns the name of AWS's exception.
func (r Reason) Exception() string { return string(r) }

func refuse(r Reason, msg string) error {
	return &trilobite.Error{Op: "auth.SigV4", Code: trilobite.Unauthorized, Msg: msg, Err: r}
}
