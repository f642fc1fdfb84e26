package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"trilobite"
	"trilobite/custom"
)

const datasetColumns = `s.id, s.project_id, p.region, p.account, p.name, s.stamp, s.type, s.status, s.message, s.message_code,
	s.source, s.created_at, s.updated_at`

func scanDataset(row scanner) (custom.Dataset, error) {
	s := custom.Dataset{ARN: custom.ARN{Kind: custom.DatasetKind}}
	var source string
	var created, updated int64
	err := row.Scan(&s.ID, &s.ProjectID, &s.ARN.Region, &s.ARN.Account, &s.ARN.Project, &s.ARN.Stamp, &s.Type, &s.Status,
		&s.Message, &s.MessageCode, &source, &created, &updated)
	if err != nil {
		return s, err
	}
	s.ARN.Name = arnName(s.Type)
	s.CreatedAt, s.UpdatedAt = at(created), at(updated)
	return s, json.Unmarshal([]byte(source), &s.Source)
}

// arnName returns a type as ARNs have it.
func arnName(t custom.DatasetType) string {
	if t == custom.Test {
		return "test"
	}
	return "train"
}

func arnType(name string) custom.DatasetType {
	if name == "test" {
		return custom.Test
	}
	return custom.Train
}

// dataset finds a data set by its ARN.
func (d *DB) dataset(ctx context.Context, q querier, a custom.ARN) (custom.Dataset, error) {
	s, err := scanDataset(d.row(ctx, q, "SELECT "+datasetColumns+` FROM dataset s JOIN project p ON p.id = s.project_id
		WHERE p.account = ? AND p.name = ? AND p.region = ? AND s.type = ? AND s.stamp = ?`,
		a.Account, a.Project, a.Region, arnType(a.Name), a.Stamp))
	return s, none(err, "Dataset", "dataset "+a.String())
}

// lockedDataset finds a data set after locking its project.
func (d *DB) lockedDataset(ctx context.Context, tx *sql.Tx, a custom.ARN) (custom.Dataset, error) {
	s, err := d.dataset(ctx, tx, a)
	if err != nil || d.Dialect.Lock == "" {
		return s, err
	}
	if err := d.lockProject(ctx, tx, s.ProjectID); err != nil {
		return s, err
	}
	return d.dataset(ctx, tx, a) // as it is now
}

// DatasetByID is custom.DatasetWorkStore's.
func (d *DB) DatasetByID(ctx context.Context, id int64) (custom.Dataset, error) {
	return d.datasetByID(ctx, d.Read, id)
}

func (d *DB) datasetByID(ctx context.Context, q querier, id int64) (custom.Dataset, error) {
	s, err := scanDataset(d.row(ctx, q, "SELECT "+datasetColumns+" FROM dataset s JOIN project p ON p.id = s.project_id WHERE s.id = ?", id))
	return s, none(err, "DatasetByID", "such dataset")
}

// CreateDataset is custom.DatasetStore's.
func (d *DB) CreateDataset(ctx context.Context, n custom.NewDataset) (custom.Dataset, error) {
	s := custom.Dataset{
		ARN: n.Project.Of(custom.DatasetKind, arnName(n.Type), n.CreatedAt), Type: n.Type,
		Status: custom.CreateComplete, MessageCode: "SUCCESS", Message: created,
		Source: custom.DatasetSource{Manifest: n.Manifest}, CreatedAt: at(n.CreatedAt.UnixMilli()), UpdatedAt: at(n.CreatedAt.UnixMilli()),
	}
	err := d.change(ctx, func(tx *sql.Tx) error {
		source := n.Project
		if n.Dataset != nil {
			source = *n.Dataset
		}
		p, err := d.liveFor(ctx, tx, "CreateDataset", trilobite.NotFound, n.Project, source)
		if err != nil {
			return err
		}
		s.ProjectID = p.ID
		if n.Dataset != nil {
			from, err := d.dataset(ctx, tx, *n.Dataset)
			if err != nil {
				return err
			}
			if !from.Status.Usable() {
				return fail("CreateDataset", trilobite.Invalid, "The source dataset is %s: wait until it is complete.", from.Status)
			}
			s.Source.Dataset = from.ID
		}
		if n.Manifest != nil || n.Dataset != nil {
			s.Status, s.Message, s.MessageCode = custom.CreateInProgress, "The dataset is being created.", ""
		}
		text, err := document(s.Source)
		if err != nil {
			return err
		}
		err = d.row(ctx, tx, `INSERT INTO dataset (project_id, type, stamp, status, message, message_code, source, source_dataset, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			p.ID, s.Type, s.ARN.Stamp, s.Status, s.Message, s.MessageCode, text, s.Source.Dataset, s.ARN.Stamp, s.ARN.Stamp).Scan(&s.ID)
		if err != nil && d.Dialect.Taken(err) {
			return fail("CreateDataset", trilobite.Exists, "The project %s has a dataset of type %s.", n.Project.Project, n.Type)
		} else if err != nil {
			return err
		}
		if err := d.setTags(ctx, tx, custom.DatasetKind, s.ID, n.Tags); err != nil {
			return err
		}
		if s.Status == custom.CreateInProgress {
			if err := d.begin(ctx, tx, custom.Task{Work: custom.ImportWork, Subject: s.ID}, n.CreatedAt); err != nil {
				return err
			}
		}
		return d.audit(ctx, tx, s.ARN, "create", n.CreatedAt)
	})
	return s, err
}

// The messages of data sets whose work is done.
const (
	created = "The dataset was successfully created."
	updated = "The dataset was successfully updated."
)

// Dataset is custom.DatasetStore's.
func (d *DB) Dataset(ctx context.Context, a custom.ARN) (custom.Dataset, error) {
	s, err := d.dataset(ctx, d.Read, a)
	if err != nil {
		return s, err
	}
	err = errors.Join(
		d.row(ctx, d.Read, "SELECT count(*), coalesce(sum(labeled), 0), coalesce(sum(failed), 0) FROM entry WHERE dataset_id = ?", s.ID).
			Scan(&s.Stats.Total, &s.Stats.Labeled, &s.Stats.Errors),
		d.row(ctx, d.Read, "SELECT count(DISTINCT label) FROM entry_label WHERE dataset_id = ?", s.ID).Scan(&s.Stats.Labels),
	)
	return s, err
}

// DeleteDataset is custom.DatasetStore's.
func (d *DB) DeleteDataset(ctx context.Context, a custom.ARN, now time.Time) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		s, err := d.lockedDataset(ctx, tx, a)
		if err != nil {
			return err
		}
		if s.Status == custom.DeleteInProgress {
			return nil
		}
		if copied, err := d.exists(ctx, tx, "SELECT 1 FROM dataset WHERE source_dataset = ? AND status = ? LIMIT 1", s.ID, custom.CreateInProgress); err != nil {
			return err
		} else if copied {
			return fail("DeleteDataset", trilobite.InUse, "The dataset is being copied: wait until the copy is complete.")
		}
		if err := d.noReader(ctx, tx, "DeleteDataset", trilobite.InUse, s.ProjectID); err != nil {
			return err
		}
		if err := d.moveDataset(ctx, tx, &s, custom.DeleteSetCall, "The dataset is being deleted.", now); err != nil {
			return err
		}
		if err := d.begin(ctx, tx, custom.Task{Work: custom.DeleteDatasetWork, Subject: s.ID}, now); err != nil {
			return err
		}
		return d.audit(ctx, tx, a, "delete", now)
	})
}

// noReader refuses with a code while a training of the project has not yet read the data sets.
func (d *DB) noReader(ctx context.Context, tx *sql.Tx, method string, code trilobite.Code, project int64) error {
	reads, err := d.exists(ctx, tx, "SELECT 1 FROM version WHERE project_id = ? AND status = ? AND reading = 1 LIMIT 1", project, custom.TrainingInProgress)
	if err == nil && reads {
		return fail(method, code, "A model that is being trained is still reading the dataset.")
	}
	return err
}

// moveDataset changes a data set's state by an event.
func (d *DB) moveDataset(ctx context.Context, tx *sql.Tx, s *custom.Dataset, event, message string, now time.Time) error {
	next, err := s.Status.Next(event)
	if err != nil {
		return err
	}
	code := ""
	switch next {
	case custom.CreateComplete, custom.UpdateComplete:
		code = "SUCCESS"
	case custom.CreateFailed, custom.UpdateFailed:
		code = "CLIENT_ERROR"
	case custom.CreateInProgress, custom.UpdateInProgress, custom.DeleteInProgress:
	}
	s.Status, s.Message, s.MessageCode, s.UpdatedAt = next, message, code, now
	return d.exec(ctx, tx, "UPDATE dataset SET status = ?, message = ?, message_code = ?, updated_at = ? WHERE id = ?",
		next, message, code, now.UnixMilli(), s.ID)
}

// Distribute is custom.DatasetStore's.
func (d *DB) Distribute(ctx context.Context, train, test custom.ARN, now time.Time) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		from, err := d.lockedDataset(ctx, tx, train)
		if err != nil {
			return err
		}
		to, err := d.dataset(ctx, tx, test)
		if err != nil {
			return err
		}
		if from.ProjectID != to.ProjectID || from.Type != custom.Train || to.Type != custom.Test {
			return fail("Distribute", trilobite.Invalid, "The datasets must be the training and the test dataset of one project.")
		}
		for _, s := range []custom.Dataset{from, to} {
			if !s.Status.Usable() {
				return fail("Distribute", trilobite.NotReady, "The dataset %s is %s.", s.ARN, s.Status)
			}
		}
		if has, err := d.exists(ctx, tx, "SELECT 1 FROM entry WHERE dataset_id = ? LIMIT 1", to.ID); err != nil {
			return err
		} else if has {
			return fail("Distribute", trilobite.Invalid, "The test dataset must be empty.")
		}
		if has, err := d.exists(ctx, tx, "SELECT 1 FROM entry WHERE dataset_id = ? LIMIT 1", from.ID); err != nil {
			return err
		} else if !has {
			return fail("Distribute", trilobite.Invalid, "The training dataset is empty.")
		}
		if err := d.noReader(ctx, tx, "Distribute", trilobite.NotReady, from.ProjectID); err != nil {
			return err
		}
		for _, s := range []*custom.Dataset{&from, &to} {
			if err := d.moveDataset(ctx, tx, s, custom.DistributeCall, "The dataset is being distributed.", now); err != nil {
				return err
			}
		}
		if err := d.begin(ctx, tx, custom.Task{Work: custom.DistributeWork, Subject: from.ID}, now); err != nil {
			return err
		}
		return d.audit(ctx, tx, train, "distribute", now)
	})
}
