package records

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"trilobite"
)

const keyColumns = "id, account, name, created_at, rotated_at, revoked_at, rate_per_second, burst, sealed"

// CreateKey records a key. It fails with trilobite.Exists if the id is taken.
func (d *DB) CreateKey(ctx context.Context, k trilobite.Key) error {
	_, err := d.affect(ctx, d.Write, "INSERT INTO key ("+keyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		k.ID, k.Account, k.Name, millis(k.CreatedAt), millis(k.RotatedAt), millis(k.RevokedAt), k.RatePerSecond, k.Burst, k.Sealed)
	if err != nil && d.Dialect.Taken(err) {
		return &trilobite.Error{Op: "store.CreateKey", Code: trilobite.Exists, Msg: "A key named " + k.ID + " exists.", Err: err}
	}
	return err
}

// Key returns a key of any account, revoked ones too.
func (d *DB) Key(ctx context.Context, id string) (trilobite.Key, error) {
	k, err := scanKey(d.row(ctx, d.Read, "SELECT "+keyColumns+" FROM key WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return k, noKey("Key", id)
	}
	return k, err
}

// Keys returns the account's keys, oldest first, revoked ones too; every account's for "".
func (d *DB) Keys(ctx context.Context, account string) ([]trilobite.Key, error) {
	return collect(ctx, d, d.Read, scanKey,
		"SELECT "+keyColumns+" FROM key WHERE ? IN ('', account) ORDER BY created_at, id", account)
}

// RotateKey replaces a key's sealed secret. It fails with trilobite.Invalid if the key is
// revoked.
func (d *DB) RotateKey(ctx context.Context, account, id string, sealed []byte, now time.Time) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		var revoked sql.NullInt64
		err := d.row(ctx, tx, "SELECT revoked_at FROM key WHERE id = ? AND ? IN ('', account)"+d.Dialect.Lock, id, account).Scan(&revoked)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return noKey("RotateKey", id)
		case err != nil:
			return err
		case revoked.Valid:
			return fail("RotateKey", trilobite.Invalid, "Key %s is revoked.", id)
		}
		return d.exec(ctx, tx, "UPDATE key SET sealed = ?, rotated_at = ? WHERE id = ?", sealed, millis(now), id)
	})
}

// RevokeKey ends a key. Revoking it again changes nothing.
func (d *DB) RevokeKey(ctx context.Context, account, id string, now time.Time) error {
	n, err := d.affect(ctx, d.Write,
		"UPDATE key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? AND ? IN ('', account)", millis(now), id, account)
	if err == nil && n == 0 {
		err = noKey("RevokeKey", id)
	}
	return err
}

func noKey(method, id string) error {
	return fail(method, trilobite.NotFound, "No key named %s.", id)
}

// scanKey reads a row of keyColumns.
func scanKey(row scanner) (trilobite.Key, error) {
	var (
		k                         trilobite.Key
		created, rotated, revoked sql.NullInt64
	)
	err := row.Scan(&k.ID, &k.Account, &k.Name, &created, &rotated, &revoked, &k.RatePerSecond, &k.Burst, &k.Sealed)
	k.CreatedAt, k.RotatedAt, k.RevokedAt = instant(created), instant(rotated), instant(revoked)
	return k, err
}
