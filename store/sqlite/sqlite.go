// Package sqlite keeps Trilobite's records in one SQLite file, for one machine.
//
// Several processes may share the file: the server and the command line do. Reads and
// writes do not block each other (WAL): a store has one connection that writes and
// several that read. Writers wait for their turn. The schema is in migrations/, applied
// by Open; the statements are those of package records.
//
// Start at Open.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"trilobite/custom"
	"trilobite/jobs/queue"
	"trilobite/store/records"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps records in a file. It is safe for concurrent use.
type Store struct{ records.DB }

// readers bounds the connections that read.
const readers = 8

// Open opens the store in the named file, which is made if need be, readable by its owner
// alone, and brings its schema up to date. A schema newer than this program is an error.
func Open(ctx context.Context, name string) (*Store, error) {
	if err := touch(name); err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	write, err := sql.Open("sqlite", dsn(name))
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", name, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn(name, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening store %s: %w", name, err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	s := &Store{records.DB{Write: write, Read: read, Dialect: records.Dialect{Find: "instr", Taken: taken}}}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening store %s: %w", name, err), s.Close())
	}
	return s, nil
}

// prepare brings the schema up to date, and the queue of jobs.
func (s *Store) prepare(ctx context.Context) error {
	if err := migrate(ctx, s.Write); err != nil {
		return err
	}
	enqueue, err := queue.Enqueuer(ctx, s.Driver())
	s.Enqueue = enqueue
	return err
}

// Driver is how River works with the store.
func (s *Store) Driver() riverdriver.Driver[*sql.Tx] { return riversqlite.New(s.Write) }

// Close closes the file.
func (s *Store) Close() error { return errors.Join(s.Read.Close(), s.Write.Close()) }

// dsn names the file and what each connection sets: wait up to 5 s for a lock, keep
// readers and writers apart, sync every commit, so that what was answered survives a
// loss of power too, and take the write lock when a transaction starts, so that it
// cannot fail half-way.
func dsn(name string, pragmas ...string) string {
	q := url.Values{
		"_pragma": append([]string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, pragmas...),
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(name), RawQuery: q.Encode()}).String()
}

// touch makes the file and its directory, for the owner only: SQLite would let the umask
// decide. SQLite gives its -wal and -shm files the same mode.
func touch(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// migrate applies what is missing. Of two processes that start at once on a new file one
// may lose the race for a migration; when it looks again, nothing is missing.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		_, err = p.Up(ctx)
		if err == nil || try == 4 || ctx.Err() != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err == nil && have > want {
		err = fmt.Errorf("schema %d is newer than this program, which knows %d", have, want)
	}
	return err
}

// taken reports whether err says that a unique key exists.
func taken(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}

// Snapshot copies the records of the store in the named file, as they are at one moment,
// to a new file, while others read and write them.
func Snapshot(ctx context.Context, name, to string) error {
	if _, err := os.Stat(name); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(name))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	return errors.Join(err, db.Close())
}

// Models returns the models that a copy of the records names, in the order of their names.
func Models(ctx context.Context, name string) (models []string, err error) {
	db, err := sql.Open("sqlite", dsn(name))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT DISTINCT model FROM version WHERE model <> '' AND status <> ? ORDER BY model", custom.Deleting)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m string
		if err := rows.Scan(&m); err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return models, rows.Err()
}

// Intact fails unless the file is a whole database.
func Intact(ctx context.Context, name string) error {
	db, err := sql.Open("sqlite", dsn(name))
	if err != nil {
		return err
	}
	var said string
	err = db.QueryRowContext(ctx, "PRAGMA quick_check").Scan(&said)
	if err == nil && said != "ok" {
		err = fmt.Errorf("database %s: %s", name, said)
	}
	return errors.Join(err, db.Close())
}
