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

const entryColumns = "e.id, e.source_ref, e.line, e.labels, e.failed, e.checked"

func scanEntry(row scanner) (custom.Entry, error) {
	var e custom.Entry
	var labels string
	if err := row.Scan(&e.ID, &e.SourceRef, &e.Line, &labels, &e.Failed, &e.Checked); err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(labels), &e.Labels)
}

// Entries is custom.DatasetStore's.
func (d *DB) Entries(ctx context.Context, a custom.ARN, q custom.EntryQuery) ([]custom.Entry, error) {
	s, err := d.dataset(ctx, d.Read, a)
	if err != nil {
		return nil, err
	}
	if err := readable("Entries", s); err != nil {
		return nil, err
	}
	return d.EntriesByID(ctx, s.ID, q)
}

// readable refuses a data set that has no whole list of entries.
func readable(method string, s custom.Dataset) error {
	switch s.Status {
	case custom.CreateInProgress, custom.CreateFailed:
		return fail(method, trilobite.NotReady, "The dataset is %s.", s.Status)
	case custom.DeleteInProgress:
		return fail(method, trilobite.InUse, "The dataset is %s.", s.Status)
	case custom.CreateComplete, custom.UpdateInProgress, custom.UpdateComplete, custom.UpdateFailed:
	}
	return nil
}

// EntriesByID is custom.DatasetWorkStore's.
func (d *DB) EntriesByID(ctx context.Context, dataset int64, q custom.EntryQuery) ([]custom.Entry, error) {
	query, args := "SELECT "+entryColumns+" FROM entry e WHERE e.dataset_id = ? AND e.id > ?", []any{dataset, q.After}
	if len(q.Labels) > 0 {
		query += " AND EXISTS (SELECT 1 FROM entry_label l WHERE l.entry_id = e.id AND l.label IN (" + marks(len(q.Labels)) + "))"
		args = append(args, anys(q.Labels)...)
	}
	if q.Labeled != nil {
		query, args = query+" AND e.labeled = ?", append(args, truth(*q.Labeled))
	}
	if q.SourceRef != "" {
		query, args = query+" AND "+d.Dialect.Find+"(e.source_ref, ?) > 0", append(args, q.SourceRef)
	}
	if q.Errors {
		query += " AND e.failed = 1"
	}
	return collect(ctx, d, d.Read, scanEntry, query+" ORDER BY e.id LIMIT ?", append(args, q.Limit)...)
}

// Labels is custom.DatasetStore's.
func (d *DB) Labels(ctx context.Context, a custom.ARN, after string, limit int) ([]custom.LabelStats, error) {
	s, err := d.dataset(ctx, d.Read, a)
	if err != nil {
		return nil, err
	}
	if err := readable("Labels", s); err != nil {
		return nil, err
	}
	return collect(ctx, d, d.Read, func(row scanner) (l custom.LabelStats, err error) {
		return l, row.Scan(&l.Name, &l.Entries, &l.Boxes)
	}, `SELECT label, count(*), sum(boxes) FROM entry_label WHERE dataset_id = ? AND label > ?
		GROUP BY label ORDER BY label LIMIT ?`, s.ID, after, limit)
}

// UpdateEntries is custom.DatasetStore's.
func (d *DB) UpdateEntries(ctx context.Context, a custom.ARN, entries []custom.Entry, now time.Time) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		s, err := d.lockedDataset(ctx, tx, a)
		if err != nil {
			return err
		}
		if err := d.noReader(ctx, tx, "UpdateEntries", trilobite.InUse, s.ProjectID); err != nil {
			return err
		}
		if err := d.moveDataset(ctx, tx, &s, custom.UpdateCall, "The dataset is being updated.", now); err != nil {
			return err
		}
		for i := range entries {
			if err := d.putEntry(ctx, tx, s.ID, &entries[i], true); err != nil {
				return err
			}
		}
		if err := d.begin(ctx, tx, custom.Task{Work: custom.CheckWork, Subject: s.ID}, now); err != nil {
			return err
		}
		return d.audit(ctx, tx, a, "update", now)
	})
}

// putEntry writes an entry. One that is there is replaced or, with replace false, left
// as it is.
func (d *DB) putEntry(ctx context.Context, tx *sql.Tx, dataset int64, e *custom.Entry, replace bool) error {
	labels, err := document(e.Labels)
	if err != nil {
		return err
	}
	conflict := "DO NOTHING"
	if replace {
		conflict = `DO UPDATE SET line = excluded.line, labels = excluded.labels, labeled = excluded.labeled,
			failed = excluded.failed, checked = excluded.checked`
	}
	err = d.row(ctx, tx, `INSERT INTO entry (dataset_id, source_ref, line, labels, labeled, failed, checked)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (dataset_id, source_ref) `+conflict+" RETURNING id",
		dataset, e.SourceRef, e.Line, labels, truth(len(e.Labels) > 0), truth(e.Failed), truth(e.Checked)).Scan(&e.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was there
	} else if err != nil {
		return err
	}
	if replace {
		if err := d.exec(ctx, tx, "DELETE FROM entry_label WHERE entry_id = ?", e.ID); err != nil {
			return err
		}
	}
	for _, l := range e.Labels {
		if err := d.exec(ctx, tx, "INSERT INTO entry_label (entry_id, dataset_id, label, boxes) VALUES (?, ?, ?, ?)", e.ID, dataset, l.Name, l.Boxes); err != nil {
			return err
		}
	}
	return nil
}

// AddEntries is custom.DatasetWorkStore's.
func (d *DB) AddEntries(ctx context.Context, l custom.Lease, entries []custom.Entry) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		if err := d.hold(ctx, tx, l); err != nil {
			return err
		}
		for i := range entries {
			if err := d.putEntry(ctx, tx, l.Subject, &entries[i], false); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unchecked is custom.DatasetWorkStore's.
func (d *DB) Unchecked(ctx context.Context, l custom.Lease, after int64, limit int) ([]custom.Entry, error) {
	return collect(ctx, d, d.Read, scanEntry, "SELECT "+entryColumns+
		" FROM entry e WHERE e.dataset_id = ? AND e.checked = 0 AND e.id > ? ORDER BY e.id LIMIT ?", l.Subject, after, limit)
}

// Check is custom.DatasetWorkStore's.
func (d *DB) Check(ctx context.Context, l custom.Lease, entries []custom.Entry) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		if err := d.hold(ctx, tx, l); err != nil {
			return err
		}
		for _, e := range entries {
			var err error
			if e.Failed {
				err = d.exec(ctx, tx, "UPDATE entry SET line = ?, failed = 1, checked = 1 WHERE id = ? AND dataset_id = ?", e.Line, e.ID, l.Subject)
			} else {
				err = d.exec(ctx, tx, "UPDATE entry SET checked = 1 WHERE id = ? AND dataset_id = ?", e.ID, l.Subject)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// FinishDataset is custom.DatasetWorkStore's.
func (d *DB) FinishDataset(ctx context.Context, l custom.Lease, event, message string, now time.Time) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		if err := d.end(ctx, tx, l); err != nil {
			return err
		}
		s, err := d.datasetByID(ctx, tx, l.Subject)
		if err != nil {
			return err
		}
		switch {
		case message != "":
		case event == custom.DidImport:
			message = created
		case event == custom.DidUpdate:
			message = updated
		}
		if event == custom.DidNotImport { // nothing of it counts
			if err := d.dropEntries(ctx, tx, s.ID); err != nil {
				return err
			}
		}
		return d.moveDataset(ctx, tx, &s, event, message, now)
	})
}

func (d *DB) dropEntries(ctx context.Context, tx *sql.Tx, dataset int64) error {
	return errors.Join(
		d.exec(ctx, tx, "DELETE FROM entry_label WHERE dataset_id = ?", dataset),
		d.exec(ctx, tx, "DELETE FROM entry WHERE dataset_id = ?", dataset),
	)
}

// FinishDistribute is custom.DatasetWorkStore's.
func (d *DB) FinishDistribute(ctx context.Context, l custom.Lease, entries []int64, message string, now time.Time) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		if err := d.end(ctx, tx, l); err != nil {
			return err
		}
		from, err := d.datasetByID(ctx, tx, l.Subject)
		if err != nil {
			return err
		}
		to, err := scanDataset(d.row(ctx, tx, "SELECT "+datasetColumns+
			" FROM dataset s JOIN project p ON p.id = s.project_id WHERE s.project_id = ? AND s.type = ?", from.ProjectID, custom.Test))
		if err != nil {
			return err
		}
		event := custom.DidUpdate
		if message != "" {
			event = custom.DidNotUpdate
		} else {
			message = updated
			for _, id := range entries {
				if err := errors.Join(
					d.exec(ctx, tx, "UPDATE entry SET dataset_id = ? WHERE id = ? AND dataset_id = ?", to.ID, id, from.ID),
					d.exec(ctx, tx, "UPDATE entry_label SET dataset_id = ? WHERE entry_id = ? AND dataset_id = ?", to.ID, id, from.ID),
				); err != nil {
					return err
				}
			}
		}
		return errors.Join(d.moveDataset(ctx, tx, &from, event, message, now), d.moveDataset(ctx, tx, &to, event, message, now))
	})
}
