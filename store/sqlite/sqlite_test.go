package sqlite

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"trilobite"
	"trilobite/custom"
	"trilobite/store/storetest"
)

func open(t *testing.T, name string) *Store {
	t.Helper()
	s, err := Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestKeys(t *testing.T) {
	t.Parallel()
	storetest.Keys(t, func(t *testing.T) trilobite.KeyStore {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "trilobite.db"))
	})
}

func TestCustom(t *testing.T) {
	t.Parallel()
	storetest.Custom(t, func(t *testing.T) custom.Store {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "trilobite.db"))
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "new dir?", "odd%20name#.db")
	first := open(t, name)
	k := trilobite.Key{ID: "A", Account: "111111111111", CreatedAt: time.UnixMilli(1).UTC(), Sealed: []byte("x")}
	if err := first.CreateKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v, want mode 0600", info, err)
	}
	second := open(t, name) // as another process would
	if _, err := second.Key(t.Context(), "A"); err != nil {
		t.Errorf("a second store does not see the key: %v", err)
	}
	if err := second.RevokeKey(t.Context(), "", "A", time.UnixMilli(2)); err != nil {
		t.Error(err)
	}
	if k, err := first.Key(t.Context(), "A"); err != nil || !k.Revoked() {
		t.Errorf("the first store does not see the revocation: %+v, %v", k, err)
	}
	if _, err := first.Write.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), name); err == nil {
		_ = s.Close()
		t.Error("a schema from the future was opened")
	}
}

func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "trilobite.db")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := Open(t.Context(), name)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOpenNoStore(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "trilobite.db")
	if err := os.WriteFile(name, []byte("this is no database, but long enough to be taken for one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), name); err == nil {
		_ = s.Close()
		t.Error("a text file was opened as a store")
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Quotas = custom.Quotas{Projects: 2, Versions: 3, Trainings: 1, Running: 1}
	storetest.Quotas(t, s)
}
