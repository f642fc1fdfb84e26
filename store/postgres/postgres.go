// Package postgres keeps Trilobite's records in PostgreSQL, for several machines.
//
// The statements are those of package records, over database/sql; jobs are announced by
// LISTEN and NOTIFY through pgx. A transaction locks the row of the project that it
// changes. The schema is in migrations/, applied by Open, one process at a time.
//
// Start at Open.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"trilobite/jobs/queue"
	"trilobite/store/records"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps records in a database. It is safe for concurrent use.
type Store struct {
	records.DB

	pool *pgxpool.Pool
}

// Open opens the store at a URL, postgres://user@host/database, and brings its schema up
// to date. A schema newer than this program is an error.
func Open(ctx context.Context, url string) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("opening store: it is no postgres:// URL") // the URL may hold a password
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	s := &Store{pool: pool, DB: records.DB{
		Write: db, Read: db,
		Dialect: records.Dialect{
			Numbered: true, Lock: " FOR UPDATE", LockName: "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))",
			Find: "strpos", Taken: taken,
		},
	}}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening store: %w", err), s.Close())
	}
	return s, nil
}

// prepare brings the schema up to date, and the queue of jobs: one process at a time, for
// several machines may start at once.
func (s *Store) prepare(ctx context.Context) (err error) {
	conn, err := s.Write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	const name = "hashtextextended('trilobite: the schema', 0)"
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock("+name+")"); err != nil {
		return err
	}
	defer func() {
		_, unlocked := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock("+name+")")
		err = errors.Join(err, unlocked)
	}()
	if err := migrate(ctx, s.Write); err != nil {
		return err
	}
	s.Enqueue, err = queue.Enqueuer(ctx, s.Driver())
	return err
}

// Driver is how River works with the store.
func (s *Store) Driver() riverdriver.Driver[*sql.Tx] {
	return riverdatabasesql.NewWithPgxListener(s.Write, s.pool)
}

// Close closes the connections.
func (s *Store) Close() error {
	err := s.Write.Close()
	s.pool.Close()
	return err
}

// migrate applies what is missing.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err = p.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err == nil && have > want {
		err = fmt.Errorf("schema %d is newer than this program, which knows %d", have, want)
	}
	return err
}

// taken reports whether err says that a unique key exists (SQLSTATE 23505).
func taken(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505"
}
