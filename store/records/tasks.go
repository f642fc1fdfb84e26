package records

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"trilobite"
	"trilobite/custom"
)

// begin records a task and queues its job. If that job is lost, a sweep queues another
// once the task's time is up.
func (d *DB) begin(ctx context.Context, tx *sql.Tx, t custom.Task, now time.Time) error {
	if err := d.exec(ctx, tx, "INSERT INTO task (work, subject, token, holder, expires_at) VALUES (?, ?, 0, '', ?)",
		t.Work, t.Subject, now.Add(custom.LeaseTime).UnixMilli()); err != nil {
		return err
	}
	return d.Enqueue(ctx, tx, t)
}

// Claim is custom.TaskStore's.
func (d *DB) Claim(ctx context.Context, t custom.Task, holder string, now time.Time) (custom.Lease, error) {
	l := custom.Lease{Task: t, Holder: holder}
	err := d.change(ctx, func(tx *sql.Tx) error {
		var held string
		var expires int64
		err := d.row(ctx, tx, "SELECT holder, expires_at FROM task WHERE work = ? AND subject = ?"+d.Dialect.Lock, t.Work, t.Subject).
			Scan(&held, &expires)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fail("Claim", trilobite.NotFound, "The task %s %d is done.", t.Work, t.Subject)
		case err != nil:
			return err
		case held != "" && expires > now.UnixMilli():
			return fail("Claim", trilobite.InUse, "The task %s %d is with %s.", t.Work, t.Subject, held)
		}
		if err := d.row(ctx, tx, "UPDATE fence SET token = token + 1 RETURNING token").Scan(&l.Token); err != nil {
			return err
		}
		return d.exec(ctx, tx, "UPDATE task SET token = ?, holder = ?, expires_at = ? WHERE work = ? AND subject = ?",
			l.Token, holder, now.Add(custom.LeaseTime).UnixMilli(), t.Work, t.Subject)
	})
	return l, err
}

// Extend is custom.TaskStore's.
func (d *DB) Extend(ctx context.Context, l custom.Lease, now time.Time) error {
	n, err := d.affect(ctx, d.Write, "UPDATE task SET expires_at = ? WHERE work = ? AND subject = ? AND token = ?",
		now.Add(custom.LeaseTime).UnixMilli(), l.Work, l.Subject, l.Token)
	if err == nil && n == 0 {
		err = lost(l)
	}
	return err
}

// Sweep is custom.TaskStore's. A swept task is not swept again for LeaseTime.
func (d *DB) Sweep(ctx context.Context, now time.Time) (int, error) {
	n := 0
	err := d.change(ctx, func(tx *sql.Tx) error {
		late, err := collect(ctx, d, tx, func(row scanner) (t custom.Task, err error) {
			return t, row.Scan(&t.Work, &t.Subject)
		}, "SELECT work, subject FROM task WHERE expires_at <= ?"+d.Dialect.Lock, now.UnixMilli())
		if err != nil {
			return err
		}
		for _, t := range late {
			if err := d.exec(ctx, tx, "UPDATE task SET holder = '', token = 0, expires_at = ? WHERE work = ? AND subject = ?",
				now.Add(custom.LeaseTime).UnixMilli(), t.Work, t.Subject); err != nil {
				return err
			}
			if err := d.Enqueue(ctx, tx, t); err != nil {
				return err
			}
		}
		n = len(late)
		return nil
	})
	return n, err
}

// hold fails unless the lease is the task's, and keeps it so until the transaction ends.
func (d *DB) hold(ctx context.Context, tx *sql.Tx, l custom.Lease) error {
	held, err := d.exists(ctx, tx, "SELECT 1 FROM task WHERE work = ? AND subject = ? AND token = ?"+d.Dialect.Lock, l.Work, l.Subject, l.Token)
	if err == nil && !held {
		err = lost(l)
	}
	return err
}

// end removes the lease's task.
func (d *DB) end(ctx context.Context, tx *sql.Tx, l custom.Lease) error {
	n, err := d.affect(ctx, tx, "DELETE FROM task WHERE work = ? AND subject = ? AND token = ?", l.Work, l.Subject, l.Token)
	if err == nil && n == 0 {
		err = lost(l)
	}
	return err
}

func lost(l custom.Lease) error {
	return fail("Lease", trilobite.Canceled, "The task %s %d is no longer with %s.", l.Work, l.Subject, l.Holder)
}

// Remove is custom.TaskStore's.
func (d *DB) Remove(ctx context.Context, l custom.Lease, limit int) (bool, error) {
	done := false
	err := d.change(ctx, func(tx *sql.Tx) error {
		if err := d.hold(ctx, tx, l); err != nil {
			return err
		}
		var n int64
		var err error
		switch l.Work {
		case custom.DeleteDatasetWork:
			n, err = d.removeEntries(ctx, tx, "dataset_id = ?", l.Subject, limit)
		case custom.DeleteProjectWork:
			n, err = d.removeEntries(ctx, tx, "dataset_id IN (SELECT id FROM dataset WHERE project_id = ?)", l.Subject, limit)
		case custom.DeleteVersionWork:
		default:
			return fail("Remove", trilobite.Invalid, "The task %s removes nothing.", l.Work)
		}
		if err != nil || n > 0 {
			return err
		}
		done = true
		if err := d.removeRow(ctx, tx, l); err != nil {
			return err
		}
		return d.end(ctx, tx, l)
	})
	return done, err
}

// removeEntries takes up to limit entries away and tells how many it took.
func (d *DB) removeEntries(ctx context.Context, tx *sql.Tx, where string, id int64, limit int) (int64, error) {
	some := "(SELECT id FROM entry WHERE " + where + " ORDER BY id LIMIT ?)"
	if err := d.exec(ctx, tx, "DELETE FROM entry_label WHERE entry_id IN "+some, id, limit); err != nil {
		return 0, err
	}
	return d.affect(ctx, tx, "DELETE FROM entry WHERE id IN "+some, id, limit)
}

// removeRow takes the emptied thing away, with what hangs on it.
func (d *DB) removeRow(ctx context.Context, tx *sql.Tx, l custom.Lease) error {
	untag := func(k custom.Kind, where string) error {
		return d.exec(ctx, tx, "DELETE FROM tag WHERE kind = ? AND subject "+where, k, l.Subject)
	}
	switch l.Work {
	case custom.DeleteDatasetWork:
		return errors.Join(untag(custom.DatasetKind, "= ?"), d.exec(ctx, tx, "DELETE FROM dataset WHERE id = ?", l.Subject))
	case custom.DeleteVersionWork:
		return errors.Join(untag(custom.VersionKind, "= ?"), d.exec(ctx, tx, "DELETE FROM version WHERE id = ?", l.Subject))
	default:
		return errors.Join(
			untag(custom.DatasetKind, "IN (SELECT id FROM dataset WHERE project_id = ?)"),
			untag(custom.ProjectKind, "= ?"),
			d.exec(ctx, tx, "DELETE FROM dataset WHERE project_id = ?", l.Subject),
			d.exec(ctx, tx, "DELETE FROM policy WHERE project_id = ?", l.Subject),
			d.exec(ctx, tx, "DELETE FROM project WHERE id = ?", l.Subject),
		)
	}
}
