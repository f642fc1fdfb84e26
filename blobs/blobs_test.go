package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stores opens a store of each kind: a folder, and a bucket whose files need copies here.
func stores(t *testing.T) map[string]*Store {
	t.Helper()
	folder, err := OpenFolder(t.Context(), filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := Open(t.Context(), "mem://", filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close(); _ = bucket.Close() })
	return map[string]*Store{"folder": folder, "bucket": bucket}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sum := sha256.Sum256([]byte("hello"))
			a, err := s.Add(t.Context(), write(t, "hello"), 5)
			if err != nil || string(a.Sum) != hex.EncodeToString(sum[:]) || a.Size != 5 || !a.New {
				t.Fatalf("added %+v, error %v", a, err)
			}
			if again, err := s.Add(t.Context(), write(t, "hello"), 5); err != nil || again.New || again.Sum != a.Sum {
				t.Errorf("the same content again: %+v, error %v", again, err)
			}
			path, err := s.File(t.Context(), a.Sum)
			if err != nil {
				t.Fatal(err)
			}
			if data, err := os.ReadFile(path); err != nil || string(data) != "hello" {
				t.Errorf("the file holds %q, error %v", data, err)
			}
			other, err := s.Add(t.Context(), write(t, "other"), 5)
			if err != nil {
				t.Fatal(err)
			}
			live := func(sum Sum) bool { return sum == a.Sum }
			if c, err := s.Collect(t.Context(), live, time.Now().Add(-time.Hour)); err != nil || c.Files != 0 {
				t.Errorf("collected young files: %+v, error %v", c, err)
			}
			if c, err := s.Collect(t.Context(), live, time.Now().Add(time.Hour)); err != nil || c != (Collected{Files: 1, Bytes: 5, Kept: 1}) {
				t.Errorf("collected %+v, error %v", c, err)
			}
			if _, err := s.File(t.Context(), other.Sum); err == nil {
				t.Error("a collected file is still there")
			}
			if _, err := s.File(t.Context(), a.Sum); err != nil {
				t.Errorf("a file that is needed is gone: %v", err)
			}
		})
	}
}

func TestStoreRefuses(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := s.Add(t.Context(), write(t, "hello"), 4); err == nil || !strings.Contains(err.Error(), "has 5 bytes; at most 4") {
				t.Errorf("a file over the limit: %v", err)
			}
			if _, err := s.Add(t.Context(), t.TempDir(), 4); err == nil || !strings.Contains(err.Error(), "no regular file") {
				t.Errorf("a folder: %v", err)
			}
			if _, err := s.File(t.Context(), "../../etc/passwd"); err == nil || !strings.Contains(err.Error(), "is no SHA-256") {
				t.Errorf("a path as a sum: %v", err)
			}
			// A file that is cut or changed under way leaves nothing.
			sum := Sum(strings.Repeat("a", 64))
			if err := s.put(t.Context(), strings.NewReader("hello"), sum); err == nil {
				t.Error("content of another sum was stored")
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := s.Add(ctx, write(t, "late"), 10); err == nil && name == "bucket" {
				t.Error("a canceled upload was stored")
			}
			if _, err := s.File(t.Context(), sum); err == nil {
				t.Error("half a file is there")
			}
		})
	}
}
