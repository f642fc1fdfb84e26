package records

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"trilobite"
	"trilobite/custom"
)

// subject returns the ID of what an ARN names.
func (d *DB) subject(ctx context.Context, q querier, a custom.ARN) (int64, error) {
	switch a.Kind {
	case custom.DatasetKind:
		s, err := d.dataset(ctx, q, a)
		return s.ID, err
	case custom.VersionKind:
		v, err := d.version(ctx, q, a)
		return v.ID, err
	case custom.ProjectKind:
	}
	p, err := d.project(ctx, q, a, "")
	return p.ID, err
}

// Tag is custom.TagStore's.
func (d *DB) Tag(ctx context.Context, a custom.ARN, tags map[string]string) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		id, err := d.subject(ctx, tx, a)
		if err != nil {
			return err
		}
		if err := d.setTags(ctx, tx, a.Kind, id, tags); err != nil {
			return err
		}
		return d.audit(ctx, tx, a, "tag", time.Now())
	})
}

// setTags sets tags of a thing and holds it to their number.
func (d *DB) setTags(ctx context.Context, tx *sql.Tx, k custom.Kind, id int64, tags map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		if err := d.exec(ctx, tx, `INSERT INTO tag (kind, subject, name, value) VALUES (?, ?, ?, ?)
			ON CONFLICT (kind, subject, name) DO UPDATE SET value = excluded.value`, k, id, name, tags[name]); err != nil {
			return err
		}
	}
	var n int
	if err := d.row(ctx, tx, "SELECT count(*) FROM tag WHERE kind = ? AND subject = ?", k, id).Scan(&n); err != nil {
		return err
	}
	if n > custom.MaxTags {
		return &trilobite.Error{
			Op: "store.Tag", Code: trilobite.LimitExceeded, Err: custom.TooManyTags, Msg: fmt.Sprintf("A resource has at most %d tags.", custom.MaxTags),
		}
	}
	return nil
}

// Untag is custom.TagStore's. A name that is no tag is no error.
func (d *DB) Untag(ctx context.Context, a custom.ARN, names []string) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		id, err := d.subject(ctx, tx, a)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := d.exec(ctx, tx, "DELETE FROM tag WHERE kind = ? AND subject = ? AND name = ?", a.Kind, id, name); err != nil {
				return err
			}
		}
		return d.audit(ctx, tx, a, "untag", time.Now())
	})
}

// Tags is custom.TagStore's.
func (d *DB) Tags(ctx context.Context, a custom.ARN) (map[string]string, error) {
	id, err := d.subject(ctx, d.Read, a)
	if err != nil {
		return nil, err
	}
	type tag struct{ name, value string }
	all, err := collect(ctx, d, d.Read, func(row scanner) (t tag, err error) {
		return t, row.Scan(&t.name, &t.value)
	}, "SELECT name, value FROM tag WHERE kind = ? AND subject = ?", a.Kind, id)
	tags := map[string]string{}
	for _, t := range all {
		tags[t.name] = t.value
	}
	return tags, err
}
