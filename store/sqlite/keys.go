package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"trilobite"
)

const keyColumns = "id, account, name, created_at, rotated_at, revoked_at, rate_per_second, burst, sealed"

// CreateKey records a key. It fails with trilobite.Exists if the id is taken.
func (s *Store) CreateKey(ctx context.Context, k trilobite.Key) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO key ("+keyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		k.ID, k.Account, k.Name, millis(k.CreatedAt), millis(k.RotatedAt), millis(k.RevokedAt), k.RatePerSecond, k.Burst, k.Sealed)
	if taken(err) {
		return &trilobite.Error{Op: "store/sqlite.CreateKey", Code: trilobite.Exists, Msg: "A key named " + k.ID + " exists.", Err: err}
	}
	return err
}

// Key returns a key of any account, revoked ones too.
func (s *Store) Key(ctx context.Context, id string) (trilobite.Key, error) {
	k, err := scanKey(s.db.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM key WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return k, noKey("Key", id)
	}
	return k, err
}

// Keys returns the account's keys, oldest first, revoked ones too; every account's for "".
func (s *Store) Keys(ctx context.Context, account string) ([]trilobite.Key, error) {
	rows, err := s.db.QueryContext(ctx,
		"SELECT "+keyColumns+" FROM key WHERE ? IN ('', account) ORDER BY created_at, id", account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []trilobite.Key
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// RotateKey replaces a key's sealed secret. It fails with trilobite.Invalid if the key is
// revoked.
func (s *Store) RotateKey(ctx context.Context, account, id string, sealed []byte, now time.Time) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	var revoked sql.NullInt64
	err = tx.QueryRowContext(ctx, "SELECT revoked_at FROM key WHERE id = ? AND ? IN ('', account)", id, account).Scan(&revoked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return noKey("RotateKey", id)
	case err != nil:
		return err
	case revoked.Valid:
		return &trilobite.Error{Op: "store/sqlite.RotateKey", Code: trilobite.Invalid, Msg: "Key " + id + " is revoked."}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE key SET sealed = ?, rotated_at = ? WHERE id = ?", sealed, millis(now), id); err != nil {
		return err
	}
	return tx.Commit()
}

// RevokeKey ends a key. Revoking it again changes nothing.
func (s *Store) RevokeKey(ctx context.Context, account, id string, now time.Time) error {
	res, err := s.db.ExecContext(ctx,
		"UPDATE key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? AND ? IN ('', account)", millis(now), id, account)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, noKey("RevokeKey", id))
	}
	return nil
}

func noKey(method, id string) error {
	return &trilobite.Error{Op: "store/sqlite." + method, Code: trilobite.NotFound, Msg: "No key named " + id + "."}
}

// scanKey reads a row of keyColumns.
func scanKey(row interface{ Scan(dest ...any) error }) (trilobite.Key, error) {
	var (
		k                         trilobite.Key
		created, rotated, revoked sql.NullInt64
	)
	err := row.Scan(&k.ID, &k.Account, &k.Name, &created, &rotated, &revoked, &k.RatePerSecond, &k.Burst, &k.Sealed)
	k.CreatedAt, k.RotatedAt, k.RevokedAt = instant(created), instant(rotated), instant(revoked)
	return k, err
}

// millis returns a time as the schema keeps it: NULL for the zero time.
func millis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

func instant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64).UTC()
}
