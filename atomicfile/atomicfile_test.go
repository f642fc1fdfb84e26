package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, link := filepath.Join(dir, "old"), filepath.Join(dir, "link")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(old, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "new"), old, link} {
		if err := WriteFile(path, []byte(path), Perm); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		st, _ := os.Stat(path)
		if err != nil || string(data) != path || st.Mode() != Perm {
			t.Errorf("%s holds %q (%v), %v", path, data, st.Mode(), err)
		}
	}
	if data, _ := os.ReadFile(old); string(data) != link {
		t.Errorf("the link's file holds %q, so the link was replaced", data)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 3 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteFile(path, []byte("old"), Perm); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	err := Write(path, Perm, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(stop, err)
	})
	data, _ := os.ReadFile(path)
	left, _ := os.ReadDir(filepath.Dir(path))
	if !errors.Is(err, stop) || string(data) != "old" || len(left) != 1 {
		t.Errorf("error %v, the file holds %q, the folder %v", err, data, left)
	}
	if err := WriteFile(filepath.Dir(path), nil, Perm); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder as file: %v", err)
	}
}

// A device is written to, not replaced by a file.
func TestDevice(t *testing.T) {
	t.Parallel()
	const full = "/dev/full"
	before, err := os.Stat(full)
	if err != nil || before.Mode()&os.ModeCharDevice == 0 {
		t.Skip("this system has no", full)
	}
	if err := WriteFile(full, []byte("x"), Perm); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing to %s: %v", full, err)
	}
	if after, err := os.Stat(full); err != nil || after.Mode() != before.Mode() {
		t.Errorf("%s became %v, %v", full, after, err)
	}
}
