package tensor

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// readFile opens path for read, whose errors it puts under the file's name.
func readFile[T any](path string, read func(r io.ReaderAt, size int64) (T, error)) (T, error) {
	var none T
	f, err := os.Open(path)
	if err != nil {
		return none, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return none, err
	}
	out, err := read(f, st.Size())
	if err != nil {
		return none, fmt.Errorf("reading %s: %w", path, err)
	}
	return out, nil
}

// writeFile makes path whole or not at all: it fills a temporary file in the same
// folder and renames it.
func writeFile(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err = fill(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
