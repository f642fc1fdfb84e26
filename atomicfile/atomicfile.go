// Package atomicfile writes files whole or not at all: a reader, and a crash, sees the old
// file or the new one.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Perm is how files are readable that need no other care: by everybody.
const Perm fs.FileMode = 0o644

// WriteFile replaces path by data.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write replaces path by what fill writes. A link is followed. What is no regular file, a
// pipe or a device, is written to as it stands: it has no old content to keep.
func Write(path string, perm fs.FileMode, fill func(io.Writer) error) error {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return writeThrough(path, st, fill)
	}
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := fill(f); err != nil {
		return err
	}
	return f.Commit(path, perm)
}

func writeThrough(path string, st fs.FileInfo, fill func(io.Writer) error) error {
	if st.IsDir() {
		return fmt.Errorf("%s is a folder; name a file", path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(fill(f), f.Close())
}

// File is a file that takes its name when it is complete.
type File struct{ *os.File }

// Create makes a temporary file in the folder of path, readable to its owner alone.
func Create(path string) (*File, error) {
	f, err := os.CreateTemp(filepath.Dir(target(path)), "."+filepath.Base(path)+"-*")
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Commit puts the file on the disk, then in place of path, which is in the folder that the
// file was made in.
func (f *File) Commit(path string, perm fs.FileMode) error {
	if err := errors.Join(f.Chmod(perm), f.Sync(), f.Close()); err != nil {
		return err
	}
	path = target(path)
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close()) // the name, too, outlives a crash
}

// Discard removes the file unless it was committed.
func (f *File) Discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// target follows links to the file that is replaced.
func target(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	return path
}
