package records

import (
	"context"
	"time"

	"trilobite/custom"
)

// Kept is custom.HousekeepingStore's.
func (d *DB) Kept(ctx context.Context) (models []string, training map[int64]time.Time, err error) {
	training = map[int64]time.Time{}
	type row struct {
		id, created int64
		status      custom.VersionStatus
		model       string
	}
	all, err := collect(ctx, d, d.Read, func(s scanner) (r row, err error) {
		return r, s.Scan(&r.id, &r.created, &r.status, &r.model)
	}, "SELECT id, created_at, status, model FROM version WHERE model <> '' OR status = ? ORDER BY id", custom.TrainingInProgress)
	for _, r := range all {
		if r.model != "" {
			models = append(models, r.model)
		}
		if r.status == custom.TrainingInProgress {
			training[r.id] = at(r.created)
		}
	}
	return models, training, err
}

// ForgetAudit is custom.HousekeepingStore's.
func (d *DB) ForgetAudit(ctx context.Context, before time.Time) (int64, error) {
	return d.affect(ctx, d.Write, "DELETE FROM audit WHERE at < ?", before.UnixMilli())
}
