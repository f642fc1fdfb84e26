package records

import (
	"context"
	"database/sql"
	"errors"

	"trilobite"
	"trilobite/custom"
)

// PutPolicy is custom.PolicyStore's.
func (d *DB) PutPolicy(ctx context.Context, n custom.Policy, revision string) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		p, err := d.liveProject(ctx, tx, "PutPolicy", trilobite.NotFound, n.Project)
		if err != nil {
			return err
		}
		have, err := d.revision(ctx, tx, p.ID, n.Name)
		switch {
		case err != nil:
			return err
		case revision != "" && have != revision:
			return staleRevision("PutPolicy", revision)
		case revision == "" && have != "":
			return fail("PutPolicy", trilobite.Exists, "The project has a policy named %s: give its PolicyRevisionId to change it.", n.Name)
		}
		if err := d.exec(ctx, tx, `INSERT INTO policy (project_id, name, revision, document, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (project_id, name) DO UPDATE SET revision = excluded.revision, document = excluded.document, updated_at = excluded.updated_at`,
			p.ID, n.Name, n.Revision, n.Document, n.CreatedAt.UnixMilli(), n.UpdatedAt.UnixMilli()); err != nil {
			return err
		}
		return d.audit(ctx, tx, n.Project, "put policy "+n.Name, n.UpdatedAt)
	})
}

// revision returns a policy's revision, "" if there is no such policy.
func (d *DB) revision(ctx context.Context, tx *sql.Tx, project int64, name string) (string, error) {
	var have string
	err := d.row(ctx, tx, "SELECT revision FROM policy WHERE project_id = ? AND name = ?", project, name).Scan(&have)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return have, err
}

func staleRevision(method, revision string) error {
	return &trilobite.Error{
		Op: "store." + method, Code: trilobite.Invalid, Err: custom.StaleRevision,
		Msg: "The policy's revision is not " + revision + ".",
	}
}

// Policies is custom.PolicyStore's.
func (d *DB) Policies(ctx context.Context, project custom.ARN, after string, limit int) ([]custom.Policy, error) {
	p, err := d.project(ctx, d.Read, project, "")
	if err != nil {
		return nil, err
	}
	return collect(ctx, d, d.Read, func(row scanner) (custom.Policy, error) {
		o := custom.Policy{Project: p.ARN}
		var created, updated int64
		err := row.Scan(&o.Name, &o.Revision, &o.Document, &created, &updated)
		o.CreatedAt, o.UpdatedAt = at(created), at(updated)
		return o, err
	}, "SELECT name, revision, document, created_at, updated_at FROM policy WHERE project_id = ? AND name > ? ORDER BY name LIMIT ?", p.ID, after, limit)
}

// DeletePolicy is custom.PolicyStore's.
func (d *DB) DeletePolicy(ctx context.Context, project custom.ARN, name, revision string) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		p, err := d.project(ctx, tx, project, d.Dialect.Lock)
		if err != nil {
			return err
		}
		have, err := d.revision(ctx, tx, p.ID, name)
		switch {
		case err != nil:
			return err
		case have == "":
			return fail("DeletePolicy", trilobite.NotFound, "The project has no policy named %s.", name)
		case revision != "" && have != revision:
			return staleRevision("DeletePolicy", revision)
		}
		return d.exec(ctx, tx, "DELETE FROM policy WHERE project_id = ? AND name = ?", p.ID, name)
	})
}
