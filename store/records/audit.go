package records

import (
	"context"
	"database/sql"
	"time"

	"trilobite"
	"trilobite/custom"
)

// audit records what changed what.
func (d *DB) audit(ctx context.Context, tx *sql.Tx, a custom.ARN, action string, now time.Time) error {
	return d.exec(ctx, tx, "INSERT INTO audit (at, account, key_id, action, resource) VALUES (?, ?, ?, ?, ?)",
		now.UnixMilli(), a.Account, custom.KeyOf(ctx), action, a.String())
}

// Audit is custom.HousekeepingStore's.
func (d *DB) Audit(ctx context.Context, q custom.AuditQuery) ([]custom.Change, error) {
	query, args := "SELECT id, at, account, key_id, action, resource FROM audit WHERE at >= ?", []any{q.Since.UnixMilli()}
	if q.Account != "" {
		query, args = query+" AND account = ?", append(args, q.Account)
	}
	return collect(ctx, d, d.Read, func(row scanner) (c custom.Change, err error) {
		var ms int64
		err = row.Scan(&c.ID, &ms, &c.Account, &c.KeyID, &c.Action, &c.Resource)
		c.At = at(ms)
		return c, err
	}, query+" ORDER BY id DESC LIMIT ?", append(args, q.Limit)...)
}

// within fails if an account has reached a quota: of is the query that counts, one argument
// of which is the account. Of two transactions that count for one account, the second waits
// for the first.
func (d *DB) within(ctx context.Context, tx *sql.Tx, method, account string, quota int, what, of string, args ...any) error {
	if quota <= 0 {
		return nil
	}
	if d.Dialect.LockName != "" {
		if err := d.exec(ctx, tx, d.Dialect.LockName, "quotas of "+account); err != nil {
			return err
		}
	}
	var n int
	if err := d.row(ctx, tx, of, append([]any{account}, args...)...).Scan(&n); err != nil {
		return err
	}
	if n >= quota {
		return fail(method, trilobite.LimitExceeded, "The account has %d %s, its limit.", n, what)
	}
	return nil
}

const versionsOf = "SELECT COUNT(*) FROM version v JOIN project p ON p.id = v.project_id WHERE p.account = ?"
