// Package records holds the statements that every store shares. A store opens its
// database, brings the schema up to date and gives the rest here: two pools, which may
// be the same, and a Dialect.
//
// Statements are written with ? for parameters and in the SQL that SQLite and PostgreSQL
// have in common. A transaction that changes anything of a project locks the project's
// row first, so that states change one after the other; SQLite has a single writer
// anyway. Times are milliseconds since 1970, 0 or NULL for none, truths 0 and 1.
//
// Start at DB; each record has its own file.
package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"trilobite"
	"trilobite/custom"
)

// Dialect is where the databases differ.
type Dialect struct {
	Numbered bool             // parameters are $1, $2, …
	Lock     string           // ends a SELECT that locks its rows
	LockName string           // takes a lock of a name that ends with the transaction; "": there is one writer anyway
	Find     string           // the function of text and part that tells where the part is, from 1; 0 for nowhere
	Taken    func(error) bool // whether an error says that a unique key exists
}

// DB is the records of an open database. It is safe for concurrent use.
type DB struct {
	Write, Read *sql.DB
	Dialect     Dialect
	Quotas      custom.Quotas // of each account
	// Enqueue queues the job of a task within the transaction.
	Enqueue func(ctx context.Context, tx *sql.Tx, t custom.Task) error
}

// bind writes a statement's parameters as the database wants them. No statement here
// has a ? in a literal.
func (d *DB) bind(query string) string {
	if !d.Dialect.Numbered {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, more := strings.Cut(query, "?")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// querier is a pool or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (d *DB) exec(ctx context.Context, q querier, query string, args ...any) error {
	_, err := q.ExecContext(ctx, d.bind(query), args...)
	return err
}

// affect is exec that tells how many rows changed.
func (d *DB) affect(ctx context.Context, q querier, query string, args ...any) (int64, error) {
	res, err := q.ExecContext(ctx, d.bind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (d *DB) row(ctx context.Context, q querier, query string, args ...any) *sql.Row {
	return q.QueryRowContext(ctx, d.bind(query), args...)
}

// scanner is a row of either kind.
type scanner interface{ Scan(dest ...any) error }

// collect runs a query and returns what scan makes of each row.
func collect[T any](ctx context.Context, d *DB, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, d.bind(query), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// change runs f in a transaction.
func (d *DB) change(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := d.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exists reports whether a query has a row.
func (d *DB) exists(ctx context.Context, q querier, query string, args ...any) (bool, error) {
	var one int
	err := d.row(ctx, q, query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func fail(method string, code trilobite.Code, format string, args ...any) error {
	return &trilobite.Error{Op: "store." + method, Code: code, Msg: fmt.Sprintf(format, args...)}
}

// none turns "no rows" into NotFound of the named thing.
func none(err error, method, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fail(method, trilobite.NotFound, "There is no %s.", what)
	}
	return err
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// millis returns a time as the schema keeps it: NULL for the zero time.
func millis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

func instant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return at(n.Int64)
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// document writes a value as the schema keeps documents.
func document(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// marks returns n parameters for a list: "?, ?, ?".
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// anys makes arguments of a list.
func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
