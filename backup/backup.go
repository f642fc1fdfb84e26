// Package backup writes a home, as it is at one moment, into one file, while servers and
// trainings go on in it, and puts it back.
//
// The file is a tar archive: the records as a copy that SQLite made in one transaction,
// every other file of the home, and in the end a list of all with their hashes, without
// which the archive is not whole. Files of a home are written once and then renamed to
// their place; Write holds each by a hard link first, before and after it copies the
// records, so that a model that the records know is there, also where it is deleted
// meanwhile. Start at Write, then Restore.
//
// Not in it: packages that can be fetched again, and what lies elsewhere (buckets behind
// URLs, a PostgreSQL database).
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	format  = 1
	listed  = "trilobite-backup.json" // the last entry
	staging = ".backup-"              // folders of links in the home begin so
)

// Content is the list at an archive's end.
type Content struct {
	Format    int       `json:"format"`
	Version   string    `json:"version"` // of the program that wrote it
	CreatedAt time.Time `json:"created_at"`
	Records   bool      `json:"records"` // whether they are in it
	Bytes     int64     `json:"bytes"`
	Links     []string  `json:"links,omitempty"` // in the home, which are not in the archive, nor what they lead to
	Files     []File    `json:"files"`
}

// File is an entry.
type File struct {
	Name   string `json:"name"` // slash-separated, below the home
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Source is what is written.
type Source struct {
	Home     string
	Database string // the records' file in Home; never copied as it is
	// Snapshot writes a consistent copy of the records to a file. Nil: they are elsewhere.
	Snapshot func(ctx context.Context, file string) error
	// Check fails if the copy of the records names what the folder of links does not have.
	Check   func(ctx context.Context, records, folder string) error
	Version string
}

// tries is how often Write begins again where Check finds that something is missing.
const tries = 3

// Write writes a home to w. Where it fails, what it wrote is no archive.
func Write(ctx context.Context, w io.Writer, s Source) (Content, error) {
	folder, err := os.MkdirTemp(s.Home, staging)
	if err != nil {
		return Content{}, err
	}
	defer os.RemoveAll(folder)
	records := filepath.Join(folder, "records.db")
	for try := 1; ; try++ {
		files := filepath.Join(folder, fmt.Sprint(try))
		if err = s.hold(ctx, files, records); err == nil {
			return s.pack(ctx, w, files, records)
		}
		if try == tries || ctx.Err() != nil {
			return Content{}, err
		}
		if err := os.Remove(records); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Content{}, err
		}
	}
}

// hold links the home's files into a folder, around the copy of the records.
func (s Source) hold(ctx context.Context, files, records string) error {
	if err := s.link(ctx, files); err != nil || s.Snapshot == nil {
		return err
	}
	if err := s.Snapshot(ctx, records); err != nil {
		return fmt.Errorf("copying the records: %w", err)
	}
	if err := s.link(ctx, files); err != nil {
		return err
	}
	if s.Check == nil {
		return nil
	}
	return s.Check(ctx, records, files)
}

// link adds links to the files that the folder does not have yet.
func (s Source) link(ctx context.Context, folder string) error {
	return filepath.WalkDir(s.Home, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went meanwhile
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		rel, err := filepath.Rel(s.Home, path)
		if err != nil {
			return err
		}
		if s.leaves(rel, path) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		to := filepath.Join(folder, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		return hold(path, to)
	})
}

// hold links a file, and its attributes beside it, if it has any: a bucket's object is two
// files that are replaced one after the other, so both must still be what was linked.
func hold(path, to string) error {
	const beside = ".attrs"
	for range 10 {
		if err := relink(path, to); err != nil {
			return err
		}
		if strings.HasSuffix(path, beside) {
			return nil
		}
		err := relink(path+beside, to+beside)
		if err != nil {
			return err
		}
		if same(path, to) && same(path+beside, to+beside) {
			return nil
		}
	}
	return fmt.Errorf("%s changes all the time", path)
}

// relink makes to a link to path, whatever it was; it is none where path is gone.
func relink(path, to string) error {
	if same(path, to) {
		return nil
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // what was held of it stays
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(path, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// same reports whether two names are one file, or whether the first is gone.
func same(path, to string) bool {
	a, err := os.Lstat(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	b, err := os.Lstat(to)
	return err == nil && os.SameFile(a, b)
}

// leaves reports what no backup needs.
func (s Source) leaves(rel, path string) bool {
	first, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
	name := filepath.Base(rel)
	return first == "packages" || strings.HasPrefix(first, staging) || name == "lock" || name == LockFile ||
		s.Database != "" && (path == s.Database || path == s.Database+"-wal" || path == s.Database+"-shm")
}

// pack writes what is held as an archive.
func (s Source) pack(ctx context.Context, w io.Writer, files, records string) (Content, error) {
	c := Content{Format: format, Version: s.Version, CreatedAt: time.Now().UTC(), Records: s.Snapshot != nil}
	t := tar.NewWriter(w)
	add := func(path, name string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := c.add(t, path, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.Files, c.Bytes = append(c.Files, f), c.Bytes+f.Size
		return nil
	}
	err := filepath.WalkDir(files, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(files, path)
		if err != nil {
			return err
		}
		return add(path, filepath.ToSlash(rel))
	})
	if err == nil {
		c.Links, err = s.links()
	}
	if err == nil && c.Records {
		err = add(records, filepath.ToSlash(filepath.Base(s.Database)))
	}
	if err != nil {
		return c, err
	}
	data, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return c, err
	}
	if err := t.WriteHeader(&tar.Header{Name: listed, Size: int64(len(data)), Mode: 0o600, ModTime: c.CreatedAt}); err != nil {
		return c, err
	}
	_, err = t.Write(data)
	return c, errors.Join(err, t.Close())
}

// links lists the symbolic links of the home.
func (s Source) links() ([]string, error) {
	var all []string
	err := filepath.WalkDir(s.Home, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		} else if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.Home, path)
		switch {
		case err != nil:
			return err
		case s.leaves(rel, path) && d.IsDir():
			return filepath.SkipDir
		case d.Type()&fs.ModeSymlink != 0 && !s.leaves(rel, path):
			all = append(all, filepath.ToSlash(rel))
		}
		return nil
	})
	return all, err
}

// add writes one file, as long as it was when it was opened: some only ever grow.
func (c *Content) add(t *tar.Writer, path, name string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return File{}, err
	}
	h := &tar.Header{Name: name, Size: info.Size(), Mode: int64(info.Mode().Perm()), ModTime: info.ModTime()}
	if err := t.WriteHeader(h); err != nil {
		return File{}, err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(t, sum), f, info.Size()); err != nil {
		return File{}, err
	}
	return File{name, info.Size(), hex.EncodeToString(sum.Sum(nil))}, nil
}
