// Package blobs keeps files by their content: each once, under its SHA-256, in a bucket
// of gocloud.dev/blob, which is a folder, S3 or Cloud Storage.
//
// Contents appear whole or not at all and never change. Who keeps a sum keeps the file:
// Collect removes what nobody names.
package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/gcsblob"  // gs://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"

	"trilobite/atomicfile"
)

// Sum is the SHA-256 of a file, in hexadecimal digits.
type Sum string

var sumRE = regexp.MustCompile(`\A[0-9a-f]{64}\z`)

// Valid reports whether s can be a sum.
func (s Sum) Valid() bool { return sumRE.MatchString(string(s)) }

const prefix = "sha256/"

// key is where a file is stored: two digits name a folder, lest one hold all.
func (s Sum) key() string { return prefix + string(s[:2]) + "/" + string(s) }

// Store is where files are kept. It is safe for concurrent use, also by several
// processes.
type Store struct {
	bucket *blob.Bucket
	dir    string // folder of the bucket, where it is one; else ""
	cache  string // folder for copies of what lies elsewhere
}

// OpenFolder opens the store in a folder, which it makes.
func OpenFolder(ctx context.Context, dir string) (*Store, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: "create_dir=true&metadata=skip&no_tmp_dir=true"}
	return Open(ctx, u.String(), "")
}

// Open opens the store at a URL of gocloud.dev/blob: file:///folder, s3://bucket?prefix=…,
// gs://bucket. Copies of what is not on this machine are kept in the folder cache.
func Open(ctx context.Context, rawURL, cache string) (*Store, error) {
	bucket, err := blob.OpenBucket(ctx, rawURL)
	if err != nil {
		return nil, fmt.Errorf("opening the blob store %s: %w", rawURL, err)
	}
	s := &Store{bucket: bucket, cache: cache}
	if u, err := url.Parse(rawURL); err == nil && u.Scheme == "file" && u.Query().Get("prefix") == "" {
		s.dir = filepath.FromSlash(u.Path)
	}
	return s, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.bucket.Close() }

// Added is what Add did.
type Added struct {
	Sum  Sum
	Size int64
	New  bool // it was not there before
}

// Add stores the file at path, of at most limit bytes, unless it is there already. A file
// that changes meanwhile is an error.
func (s *Store) Add(ctx context.Context, path string, limit int64) (Added, error) {
	f, err := os.Open(path)
	if err != nil {
		return Added{}, err
	}
	defer f.Close()
	at, err := f.Stat()
	switch {
	case err != nil:
		return Added{}, err
	case !at.Mode().IsRegular():
		return Added{}, fmt.Errorf("%s is no regular file", path)
	case at.Size() > limit:
		return Added{}, fmt.Errorf("%s has %d bytes; at most %d are allowed", path, at.Size(), limit)
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, at.Size())) // a limit makes the buffer of a small file a small one
	if err != nil {
		return Added{}, err
	}
	a := Added{Sum: Sum(hex.EncodeToString(h.Sum(nil))), Size: n}
	have, err := s.bucket.Exists(ctx, a.Sum.key())
	if err != nil || have {
		return a, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return a, err
	}
	a.New = true
	return a, s.put(ctx, io.LimitReader(f, n), a.Sum)
}

// put stores what r gives, which must have the sum.
func (s *Store) put(ctx context.Context, r io.Reader, sum Sum) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := s.bucket.NewWriter(ctx, sum.key(), nil)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(w, h), r)
	if err == nil && hex.EncodeToString(h.Sum(nil)) != string(sum) {
		err = errors.New("the file changed while it was read")
	}
	if err != nil {
		cancel() // Close then writes nothing
		_ = w.Close()
		return err
	}
	return w.Close()
}

// File returns the path of a stored file: in the store itself, or of a copy on this
// machine, which it makes.
func (s *Store) File(ctx context.Context, sum Sum) (string, error) {
	if !sum.Valid() {
		return "", fmt.Errorf("%.80q is no SHA-256", sum)
	}
	if s.dir != "" {
		path := filepath.Join(s.dir, filepath.FromSlash(sum.key()))
		_, err := os.Stat(path)
		return path, err
	}
	path := filepath.Join(s.cache, filepath.FromSlash(sum.key()))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, s.fetch(ctx, sum, path)
}

// fetch makes the copy of a file at path.
func (s *Store) fetch(ctx context.Context, sum Sum, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	r, err := s.bucket.NewReader(ctx, sum.key(), nil)
	if err != nil {
		return err
	}
	defer r.Close()
	return atomicfile.Write(path, atomicfile.Perm, func(w io.Writer) error {
		h := sha256.New()
		_, err := io.Copy(io.MultiWriter(w, h), r)
		if err == nil && hex.EncodeToString(h.Sum(nil)) != string(sum) {
			err = fmt.Errorf("the blob store has other bytes under %s", sum)
		}
		return err
	})
}

// Collected is what Collect removed.
type Collected struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	Kept  int   `json:"kept"`
}

// Collect removes the files that live does not claim and that are older than before: a
// younger one may be of somebody who has not yet said that it is needed.
func (s *Store) Collect(ctx context.Context, live func(Sum) bool, before time.Time) (Collected, error) {
	var c Collected
	for it := s.bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		sum := Sum(o.Key[strings.LastIndexByte(o.Key, '/')+1:])
		if !sum.Valid() || live(sum) || !o.ModTime.Before(before) {
			c.Kept++
			continue
		}
		if err := s.bucket.Delete(ctx, o.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return c, err
		}
		if s.cache != "" {
			_ = os.Remove(filepath.Join(s.cache, filepath.FromSlash(sum.key()))) // no copy, or one that stays
		}
		c.Files, c.Bytes = c.Files+1, c.Bytes+o.Size
	}
}
