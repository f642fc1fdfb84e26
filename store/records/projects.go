package records

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"trilobite"
	"trilobite/custom"
)

const projectColumns = "p.id, p.region, p.account, p.name, p.stamp, p.status, p.feature, p.auto_update, p.created_at"

func scanProject(row scanner) (custom.Project, error) {
	p := custom.Project{ARN: custom.ARN{Kind: custom.ProjectKind}}
	var created int64
	err := row.Scan(&p.ID, &p.ARN.Region, &p.ARN.Account, &p.ARN.Project, &p.ARN.Stamp, &p.Status, &p.Feature, &p.AutoUpdate, &created)
	p.CreatedAt = at(created)
	return p, err
}

// CreateProject is custom.ProjectStore's.
func (d *DB) CreateProject(ctx context.Context, n custom.NewProject) (custom.Project, error) {
	p := custom.Project{
		ARN: n.ARN.Of(custom.ProjectKind, "", n.CreatedAt), Status: custom.ProjectCreated,
		Feature: n.Feature, AutoUpdate: n.AutoUpdate, CreatedAt: at(n.CreatedAt.UnixMilli()),
	}
	err := d.change(ctx, func(tx *sql.Tx) error {
		if err := d.within(ctx, tx, "CreateProject", p.ARN.Account, d.Quotas.Projects, "projects", "SELECT COUNT(*) FROM project WHERE account = ?"); err != nil {
			return err
		}
		err := d.row(ctx, tx, `INSERT INTO project (region, account, name, stamp, status, feature, auto_update, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			p.ARN.Region, p.ARN.Account, p.ARN.Project, p.ARN.Stamp, p.Status, p.Feature, p.AutoUpdate, p.ARN.Stamp).Scan(&p.ID)
		if err != nil && d.Dialect.Taken(err) {
			return fail("CreateProject", trilobite.InUse, "A project named %s exists.", p.ARN.Project)
		} else if err != nil {
			return err
		}
		if err := d.setTags(ctx, tx, custom.ProjectKind, p.ID, n.Tags); err != nil {
			return err
		}
		return d.audit(ctx, tx, p.ARN, "create", n.CreatedAt)
	})
	return p, err
}

// Project is custom.ProjectStore's.
func (d *DB) Project(ctx context.Context, a custom.ARN) (custom.Project, error) {
	return d.project(ctx, d.Read, a, "")
}

// project finds a project by its ARN; lock ends the statement.
func (d *DB) project(ctx context.Context, q querier, a custom.ARN, lock string) (custom.Project, error) {
	p, err := scanProject(d.row(ctx, q, "SELECT "+projectColumns+
		" FROM project p WHERE p.account = ? AND p.name = ? AND p.region = ? AND p.stamp = ?"+lock,
		a.Account, a.Project, a.Region, a.Stamp))
	return p, none(err, "Project", "project "+a.String())
}

// lockProject locks the project that a data set or version belongs to, if it is there.
func (d *DB) lockProject(ctx context.Context, tx *sql.Tx, id int64) error {
	if d.Dialect.Lock == "" {
		return nil
	}
	_, err := d.exists(ctx, tx, "SELECT 1 FROM project WHERE id = ?"+d.Dialect.Lock, id)
	return err
}

// liveFor is liveProject for a copy of something of another project, which is locked too:
// the older first, lest two copies wait for each other.
func (d *DB) liveFor(ctx context.Context, tx *sql.Tx, method string, code trilobite.Code, to, from custom.ARN) (custom.Project, error) {
	if d.Dialect.Lock != "" {
		locked := "SELECT p.id FROM project p WHERE (p.account = ? AND p.name = ? AND p.region = ?) OR (p.account = ? AND p.name = ? AND p.region = ?) ORDER BY p.id"
		if _, err := collect(ctx, d, tx, func(row scanner) (id int64, err error) { return id, row.Scan(&id) }, locked+d.Dialect.Lock,
			to.Account, to.Project, to.Region, from.Account, from.Project, from.Region); err != nil {
			return custom.Project{}, err
		}
	}
	return d.liveProject(ctx, tx, method, code, to)
}

// Projects is custom.ProjectStore's.
func (d *DB) Projects(ctx context.Context, account string, q custom.ProjectQuery) ([]custom.Project, error) {
	query, args := "SELECT "+projectColumns+" FROM project p WHERE p.account = ?", []any{account}
	if len(q.Names) > 0 {
		query, args = query+" AND p.name IN ("+marks(len(q.Names))+")", append(args, anys(q.Names)...)
	}
	if len(q.Features) > 0 {
		query, args = query+" AND p.feature IN ("+marks(len(q.Features))+")", append(args, anys(q.Features)...)
	}
	if q.Before > 0 {
		query, args = query+" AND p.id < ?", append(args, q.Before)
	}
	all, err := collect(ctx, d, d.Read, scanProject, query+" ORDER BY p.id DESC LIMIT ?", append(args, q.Limit)...)
	if err != nil || len(all) == 0 {
		return all, err
	}
	ids := make([]any, len(all))
	for i, p := range all {
		ids[i] = p.ID
	}
	sets, err := collect(ctx, d, d.Read, scanDataset, "SELECT "+datasetColumns+
		" FROM dataset s JOIN project p ON p.id = s.project_id WHERE s.project_id IN ("+marks(len(ids))+") ORDER BY s.type DESC", ids...)
	for _, s := range sets {
		i := slices.IndexFunc(all, func(p custom.Project) bool { return p.ID == s.ProjectID })
		all[i].Datasets = append(all[i].Datasets, s)
	}
	return all, err
}

// DeleteProject is custom.ProjectStore's.
func (d *DB) DeleteProject(ctx context.Context, a custom.ARN, now time.Time) (custom.Project, error) {
	var p custom.Project
	err := d.change(ctx, func(tx *sql.Tx) (err error) {
		if p, err = d.project(ctx, tx, a, d.Dialect.Lock); err != nil {
			return err
		}
		if p.Status == custom.ProjectDeleting {
			return nil
		}
		if has, err := d.exists(ctx, tx, "SELECT 1 FROM version WHERE project_id = ? LIMIT 1", p.ID); err != nil {
			return err
		} else if has {
			return fail("DeleteProject", trilobite.InUse, "The project %s has models: delete them first.", a.Project)
		}
		if busy, err := d.busyDataset(ctx, tx, p.ID); err != nil {
			return err
		} else if busy {
			return fail("DeleteProject", trilobite.InUse, "A dataset of the project %s is being created, updated or deleted: wait for its end.", a.Project)
		}
		if err := d.exec(ctx, tx, "UPDATE project SET status = ? WHERE id = ?", custom.ProjectDeleting, p.ID); err != nil {
			return err
		}
		p.Status = custom.ProjectDeleting
		if err := d.begin(ctx, tx, custom.Task{Work: custom.DeleteProjectWork, Subject: p.ID}, now); err != nil {
			return err
		}
		return d.audit(ctx, tx, a, "delete", now)
	})
	return p, err
}

// busyDataset reports whether a data set of the project has work going on.
func (d *DB) busyDataset(ctx context.Context, q querier, project int64) (bool, error) {
	return d.exists(ctx, q, "SELECT 1 FROM dataset WHERE project_id = ? AND status IN (?, ?, ?) LIMIT 1",
		project, custom.CreateInProgress, custom.UpdateInProgress, custom.DeleteInProgress)
}

// liveProject finds and locks a project for something new in it; code is for one that is
// being deleted.
func (d *DB) liveProject(ctx context.Context, tx *sql.Tx, method string, code trilobite.Code, a custom.ARN) (custom.Project, error) {
	p, err := d.project(ctx, tx, a, d.Dialect.Lock)
	if err == nil && p.Status != custom.ProjectCreated {
		err = fail(method, code, "The project %s is being deleted.", a.Project)
	}
	return p, err
}
