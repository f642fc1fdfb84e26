package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"

	"trilobite"
)

// Shelf keeps folders of files as objects NAME/FILE, where several machines find them.
type Shelf struct{ bucket *blob.Bucket }

// OpenShelf opens a shelf at a URL of gocloud.dev/blob.
func OpenShelf(ctx context.Context, rawURL string) (*Shelf, error) {
	b, err := blob.OpenBucket(ctx, rawURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", rawURL, err)
	}
	return &Shelf{b}, nil
}

// Close closes the storage.
func (s *Shelf) Close() error { return s.bucket.Close() }

// whole is the object that says that all others of a name are there.
const whole = "/.whole"

// Put copies the files of a folder to the shelf, under a name.
func (s *Shelf) Put(ctx context.Context, name, folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := s.put(ctx, name+"/"+f.Name(), filepath.Join(folder, f.Name())); err != nil {
			return err
		}
	}
	return s.bucket.WriteAll(ctx, name+whole, nil, nil)
}

func (s *Shelf) put(ctx context.Context, key, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.bucket.Upload(ctx, key, f, &blob.WriterOptions{ContentType: "application/octet-stream"})
}

// Get writes the files of a name into a folder. It fails with NotFound.
func (s *Shelf) Get(ctx context.Context, name, folder string) error {
	there, err := s.bucket.Exists(ctx, name+whole)
	if err != nil {
		return err
	}
	if !there {
		return &trilobite.Error{Op: "objects.Shelf", Code: trilobite.NotFound, Msg: "There is no model " + name + " among those that are shared."}
	}
	for it := s.bucket.List(&blob.ListOptions{Prefix: name + "/"}); ; {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		file := strings.TrimPrefix(o.Key, name+"/")
		if "/"+file == whole || strings.Contains(file, "/") || !filepath.IsLocal(file) {
			continue
		}
		if err := s.get(ctx, o.Key, filepath.Join(folder, file)); err != nil {
			return err
		}
	}
}

func (s *Shelf) get(ctx context.Context, key, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(s.bucket.Download(ctx, key, f, nil), f.Close())
}

// Remove takes a name off the shelf. One that is not there is no error.
func (s *Shelf) Remove(ctx context.Context, name string) error {
	h := Hosted{root: s.bucket}
	return h.deleteAll(ctx, name+"/")
}
