package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"trilobite"
	"trilobite/custom"
)

const versionColumns = "v.id, v.project_id, p.region, p.account, p.name, v.name, v.stamp, v.status, v.created_at, v.detail"

// versionLabels follows versionColumns where one version is read: a model's labels, which
// lists leave out.
const versionLabels = ", v.labels"

const versionTables = " FROM version v JOIN project p ON p.id = v.project_id"

// scanVersion reads a row of versionColumns.
func scanVersion(row scanner) (custom.Version, error) { return scanInto(row) }

// scanWhole reads a row of versionColumns and versionLabels.
func scanWhole(row scanner) (custom.Version, error) {
	var labels string
	v, err := scanInto(row, &labels)
	if err != nil {
		return v, err
	}
	err = json.Unmarshal([]byte(labels), &v.Model.Labels)
	return v, err
}

func scanInto(row scanner, more ...any) (custom.Version, error) {
	v := custom.Version{ARN: custom.ARN{Kind: custom.VersionKind}}
	var detail string
	var created int64
	err := row.Scan(append([]any{
		&v.ID, &v.ProjectID, &v.ARN.Region, &v.ARN.Account, &v.ARN.Project, &v.ARN.Name, &v.ARN.Stamp, &v.Status, &created, &detail,
	}, more...)...)
	if err != nil {
		return v, err
	}
	v.CreatedAt = at(created)
	return v, json.Unmarshal([]byte(detail), &v.VersionDetail)
}

// documents writes a version's detail and its model's labels.
func documents(d custom.VersionDetail) (detail, labels string, err error) {
	list := d.Model.Labels
	d.Model.Labels = nil
	if detail, err = document(d); err != nil {
		return "", "", err
	}
	if len(list) == 0 {
		return detail, "null", nil // so that none reads as none
	}
	labels, err = document(list)
	return detail, labels, err
}

// Version is custom.VersionStore's.
func (d *DB) Version(ctx context.Context, a custom.ARN) (custom.Version, error) {
	return d.version(ctx, d.Read, a)
}

func (d *DB) version(ctx context.Context, q querier, a custom.ARN) (custom.Version, error) {
	v, err := scanWhole(d.row(ctx, q, "SELECT "+versionColumns+versionLabels+versionTables+
		" WHERE p.account = ? AND p.name = ? AND p.region = ? AND v.name = ? AND v.stamp = ?",
		a.Account, a.Project, a.Region, a.Name, a.Stamp))
	return v, none(err, "Version", "model "+a.String())
}

// VersionByID is custom.VersionWorkStore's.
func (d *DB) VersionByID(ctx context.Context, id int64) (custom.Version, error) {
	return d.versionByID(ctx, d.Read, id)
}

func (d *DB) versionByID(ctx context.Context, q querier, id int64) (custom.Version, error) {
	v, err := scanWhole(d.row(ctx, q, "SELECT "+versionColumns+versionLabels+versionTables+" WHERE v.id = ?", id))
	return v, none(err, "VersionByID", "such model")
}

// Versions is custom.VersionStore's.
func (d *DB) Versions(ctx context.Context, project custom.ARN, q custom.VersionQuery) ([]custom.Version, error) {
	p, err := d.project(ctx, d.Read, project, "")
	if err != nil {
		return nil, err
	}
	query, args := "SELECT "+versionColumns+versionTables+" WHERE v.project_id = ?", []any{p.ID}
	if len(q.Names) > 0 {
		query, args = query+" AND v.name IN ("+marks(len(q.Names))+")", append(args, anys(q.Names)...)
	}
	if q.Before > 0 {
		query, args = query+" AND v.id < ?", append(args, q.Before)
	}
	return collect(ctx, d, d.Read, scanVersion, query+" ORDER BY v.id DESC LIMIT ?", append(args, q.Limit)...)
}

// CreateVersion is custom.VersionStore's.
func (d *DB) CreateVersion(ctx context.Context, n custom.NewVersion) (custom.Version, error) {
	var v custom.Version
	err := d.change(ctx, func(tx *sql.Tx) error {
		p, err := d.liveProject(ctx, tx, "CreateVersion", trilobite.InUse, n.Project)
		if err != nil {
			return err
		}
		sets, err := collect(ctx, d, tx, scanDataset, "SELECT "+datasetColumns+
			" FROM dataset s JOIN project p ON p.id = s.project_id WHERE s.project_id = ?", p.ID)
		if err != nil {
			return err
		}
		if err := trainable(n, sets); err != nil {
			return err
		}
		if err := d.within(ctx, tx, "CreateVersion", p.ARN.Account, d.Quotas.Trainings, "trainings under way",
			versionsOf+" AND v.status = ?", custom.TrainingInProgress); err != nil {
			return err
		}
		v, err = d.insertVersion(ctx, tx, p, n.Name, custom.TrainingInProgress, n.Detail, n.Tags, n.CreatedAt)
		if err != nil {
			return err
		}
		return d.begin(ctx, tx, custom.Task{Work: custom.TrainWork, Subject: v.ID}, n.CreatedAt)
	})
	return v, err
}

// trainable reports whether a version has one thing to learn from: its own manifests or
// the project's data sets.
func trainable(n custom.NewVersion, sets []custom.Dataset) error {
	manifests := len(n.Detail.Training) > 0
	train := false
	for _, s := range sets {
		train = train || s.Type == custom.Train
		if !s.Status.Usable() {
			return fail("CreateVersion", trilobite.InUse, "The dataset %s is %s: it must be complete before training.", s.ARN, s.Status)
		}
	}
	switch {
	case manifests && len(sets) > 0:
		return fail("CreateVersion", trilobite.Invalid, "The project has datasets: leave TrainingData and TestingData out, or train in a project without datasets.")
	case !manifests && !train:
		return fail("CreateVersion", trilobite.Invalid, "The project has no training dataset: create one, or give TrainingData and TestingData.")
	}
	return nil
}

// insertVersion records a version of a locked project.
func (d *DB) insertVersion(ctx context.Context, tx *sql.Tx, p custom.Project, name string, s custom.VersionStatus, detail custom.VersionDetail, tags map[string]string, now time.Time) (custom.Version, error) {
	if err := d.within(ctx, tx, "CreateVersion", p.ARN.Account, d.Quotas.Versions, "models", versionsOf); err != nil {
		return custom.Version{}, err
	}
	v := custom.Version{
		ProjectID: p.ID, ARN: p.ARN.Of(custom.VersionKind, name, now), Status: s,
		CreatedAt: at(now.UnixMilli()), VersionDetail: detail,
	}
	text, labels, err := documents(detail)
	if err != nil {
		return v, err
	}
	err = d.row(ctx, tx, `INSERT INTO version (project_id, name, stamp, status, reading, model, created_at, detail, labels)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		p.ID, name, v.ARN.Stamp, s, truth(s == custom.TrainingInProgress && len(detail.Training) == 0), detail.Model.Name, v.ARN.Stamp, text, labels).Scan(&v.ID)
	if err != nil && d.Dialect.Taken(err) {
		return v, fail("CreateVersion", trilobite.InUse, "The project %s has a model named %s.", p.ARN.Project, name)
	} else if err != nil {
		return v, err
	}
	if err := d.setTags(ctx, tx, custom.VersionKind, v.ID, tags); err != nil {
		return v, err
	}
	return v, d.audit(ctx, tx, v.ARN, "create", now)
}

// CopyVersion is custom.VersionStore's.
func (d *DB) CopyVersion(ctx context.Context, n custom.NewCopy) (custom.Version, error) {
	var v custom.Version
	err := d.change(ctx, func(tx *sql.Tx) error {
		p, err := d.liveFor(ctx, tx, "CopyVersion", trilobite.InUse, n.Project, n.Source)
		if err != nil {
			return err
		}
		from, err := d.version(ctx, tx, n.Source)
		if err != nil {
			return err
		}
		if from.Model.Name == "" || from.Status == custom.Deleting {
			return fail("CopyVersion", trilobite.Invalid, "The model %s is %s: only a trained model can be copied.", n.Source, from.Status)
		}
		detail := from.VersionDetail
		detail.Output, detail.KMSKey, detail.Source = n.Output, n.KMSKey, n.Source.String()
		detail.Message, detail.MinUnits, detail.MaxUnits, detail.Progress = "The model is being copied.", 0, 0, ""
		v, err = d.insertVersion(ctx, tx, p, n.Name, custom.CopyingInProgress, detail, n.Tags, n.CreatedAt)
		if err != nil {
			return err
		}
		return d.begin(ctx, tx, custom.Task{Work: custom.CopyWork, Subject: v.ID}, n.CreatedAt)
	})
	return v, err
}

// StartVersion is custom.VersionStore's.
func (d *DB) StartVersion(ctx context.Context, a custom.ARN, minUnits, maxUnits int, now time.Time) (custom.Version, error) {
	return d.call(ctx, a, custom.StartCall, custom.StartWork, now, func(v *custom.Version) {
		v.MinUnits, v.MaxUnits, v.Message = minUnits, maxUnits, "The model is being started."
	})
}

// StopVersion is custom.VersionStore's.
func (d *DB) StopVersion(ctx context.Context, a custom.ARN, now time.Time) (custom.Version, error) {
	return d.call(ctx, a, custom.StopCall, custom.StopWork, now, func(v *custom.Version) { v.Message = "The model is being stopped." })
}

// DeleteVersion is custom.VersionStore's. Deleting again changes nothing.
func (d *DB) DeleteVersion(ctx context.Context, a custom.ARN, now time.Time) (custom.Version, error) {
	return d.call(ctx, a, custom.DeleteCall, custom.DeleteVersionWork, now, func(v *custom.Version) { v.Message = "The model is being deleted." })
}

// call moves a version by a call and begins the work that follows.
func (d *DB) call(ctx context.Context, a custom.ARN, event string, w custom.Work, now time.Time, edit func(*custom.Version)) (custom.Version, error) {
	var v custom.Version
	err := d.change(ctx, func(tx *sql.Tx) (err error) {
		if v, err = d.version(ctx, tx, a); err != nil {
			return err
		}
		if d.Dialect.Lock != "" {
			if err := d.lockProject(ctx, tx, v.ProjectID); err != nil {
				return err
			}
			if v, err = d.version(ctx, tx, a); err != nil { // as it is now
				return err
			}
		}
		if event == custom.DeleteCall && v.Status == custom.Deleting {
			return nil
		}
		if v.Status, err = v.Status.Next(event); err != nil {
			return err
		}
		if event == custom.StartCall {
			if err := d.within(ctx, tx, "StartVersion", v.ARN.Account, d.Quotas.Running, "running models",
				versionsOf+" AND v.status IN (?, ?)", custom.Starting, custom.Running); err != nil {
				return err
			}
		}
		edit(&v)
		if err := d.saveVersion(ctx, tx, v); err != nil {
			return err
		}
		if err := d.begin(ctx, tx, custom.Task{Work: w, Subject: v.ID}, now); err != nil {
			return err
		}
		return d.audit(ctx, tx, a, event, now)
	})
	return v, err
}

func (d *DB) saveVersion(ctx context.Context, tx *sql.Tx, v custom.Version) error {
	detail, labels, err := documents(v.VersionDetail)
	if err != nil {
		return err
	}
	return d.exec(ctx, tx, "UPDATE version SET status = ?, model = ?, detail = ?, labels = ? WHERE id = ?", v.Status, v.Model.Name, detail, labels, v.ID)
}

// Note is custom.VersionWorkStore's.
func (d *DB) Note(ctx context.Context, l custom.Lease, detail custom.VersionDetail) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		if err := d.hold(ctx, tx, l); err != nil {
			return err
		}
		v, err := d.versionByID(ctx, tx, l.Subject)
		if err != nil {
			return err
		}
		v.VersionDetail = detail
		return d.saveVersion(ctx, tx, v)
	})
}

// HasRead is custom.VersionWorkStore's.
func (d *DB) HasRead(ctx context.Context, l custom.Lease) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		if err := d.hold(ctx, tx, l); err != nil {
			return err
		}
		return d.exec(ctx, tx, "UPDATE version SET reading = 0 WHERE id = ?", l.Subject)
	})
}

// FinishVersion is custom.VersionWorkStore's.
func (d *DB) FinishVersion(ctx context.Context, l custom.Lease, event string, detail custom.VersionDetail) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		if err := d.end(ctx, tx, l); err != nil {
			return err
		}
		v, err := d.versionByID(ctx, tx, l.Subject)
		if err != nil {
			return err
		}
		v.VersionDetail = detail
		if v.Status, err = v.Status.Next(event); err != nil {
			return err
		}
		return d.saveVersion(ctx, tx, v)
	})
}

// ModelInUse is custom.VersionWorkStore's.
func (d *DB) ModelInUse(ctx context.Context, model string, but int64) (bool, error) {
	return d.exists(ctx, d.Read, "SELECT 1 FROM version WHERE model = ? AND id <> ? LIMIT 1", model, but)
}
