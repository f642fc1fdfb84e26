package sqlite

import (
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"trilobite/custom"
)

// released makes the file of an earlier release: its schema, with a key, a project, a data
// set of two entries, a trained version that runs and one that a worker was training. The
// statements are in the words of the first release that had them (0002).
func released(t *testing.T, name string, schema int64) {
	t.Helper()
	if err := touch(name); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dsn(name))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	detail := `{"output":{"bucket":"b","prefix":"p"},"model":{"name":"custom-1@1"},"min_units":2,"evaluation":{"f1":0.9,"summary":{"Bucket":"b","Key":"k"}}}`
	for _, q := range []string{
		`INSERT INTO project VALUES (1, '111111111111', 'r', 'p', 1000, 'CREATED', 'CUSTOM_LABELS', 'DISABLED', 1000)`,
		`INSERT INTO dataset VALUES (1, 1, 'TRAIN', 1000, 'CREATE_COMPLETE', '', '', '{}', 0, 1000, 1000)`,
		`INSERT INTO entry VALUES (1, 1, 's3://b/1', '{"source-ref":"s3://b/1"}', '[]', 0, 0, 1), (2, 1, 's3://b/2', '{"source-ref":"s3://b/2"}', '[]', 0, 0, 1)`,
		`INSERT INTO version (id, project_id, name, stamp, status, reading, model, created_at, detail) VALUES (1, 1, 'v1', 1000, 'RUNNING', 0, 'custom-1@1', 1000, '` + detail + `')`,
		`INSERT INTO version (id, project_id, name, stamp, status, reading, model, created_at, detail) VALUES (2, 1, 'v2', 2000, 'TRAINING_IN_PROGRESS', 0, '', 2000, '{"output":{"bucket":"b"}}')`,
		`INSERT INTO task VALUES ('train', 2, 7, 'a worker that died', 1000)`,
		`UPDATE fence SET token = 7`,
		`INSERT INTO audit (at, account, action, resource) VALUES (1000, '111111111111', 'create', 'arn')`,
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// TestOpensEarlierReleases: the file of every release since Custom Labels came opens, has
// what it had, and its training goes on.
func TestOpensEarlierReleases(t *testing.T) {
	t.Parallel()
	all, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for schema := int64(2); schema < int64(len(all)); schema++ {
		t.Run(fmt.Sprint("schema ", schema), func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "trilobite.db")
			released(t, name, schema)
			s := open(t, name)
			arn := custom.ARN{Region: "r", Account: "111111111111", Project: "p", Stamp: 1000, Kind: custom.ProjectKind}
			versions, err := s.Versions(t.Context(), arn, custom.VersionQuery{Limit: 9})
			if err != nil || len(versions) != 2 {
				t.Fatalf("versions: %v, %v", versions, err)
			}
			v, err := s.Version(t.Context(), versions[1].ARN)
			if err != nil || v.Status != custom.Running || v.Model.Name != "custom-1@1" || v.MinUnits != 2 || v.Evaluation.F1 != 0.9 {
				t.Errorf("the running version: %+v, %v", v, err)
			}
			if e, err := s.EntriesByID(t.Context(), 1, custom.EntryQuery{Limit: 9}); err != nil || len(e) != 2 {
				t.Errorf("entries: %v, %v", e, err)
			}
			if c, err := s.Audit(t.Context(), custom.AuditQuery{Since: time.UnixMilli(0), Limit: 9}); err != nil || len(c) != 1 || c[0].KeyID != "" {
				t.Errorf("audit: %v, %v", c, err)
			}
			if n, err := s.Sweep(t.Context(), time.Now()); err != nil || n != 1 {
				t.Errorf("tasks that are queued again: %d, %v; want 1", n, err)
			}
			l, err := s.Claim(t.Context(), custom.Task{Work: custom.TrainWork, Subject: 2}, "w", time.Now())
			if err != nil || l.Token != 8 {
				t.Fatalf("lease %+v, %v; want token 8", l, err)
			}
			if err := s.FinishVersion(t.Context(), l, custom.DidTrain, versions[0].VersionDetail); err != nil {
				t.Error(err)
			}
		})
	}
}
