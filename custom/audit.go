package custom

import (
	"context"
	"time"
)

// Change is a line of the audit: what changed what.
type Change struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	Account  string    `json:"account"`
	KeyID    string    `json:"key_id,omitempty"` // that asked for it
	Action   string    `json:"action"`
	Resource string    `json:"resource"` // ARN
}

// AuditQuery picks changes, newest first.
type AuditQuery struct {
	Account string // "": of all
	Since   time.Time
	Limit   int
}

type keyOfContext struct{}

// WithKey returns a context in which changes are asked for by a key.
func WithKey(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, keyOfContext{}, id)
}

// KeyOf returns the key that asks, "" if none does.
func KeyOf(ctx context.Context) string {
	id, _ := ctx.Value(keyOfContext{}).(string)
	return id
}

// Quotas bound what one account may have; 0: no bound.
type Quotas struct {
	Projects  int
	Versions  int // in all its projects
	Trainings int // at once
	Running   int // versions that run, or are being started
}
