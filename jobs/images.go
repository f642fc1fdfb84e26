package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	_ "image/jpeg" // the formats that training takes
	_ "image/png"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/dataset/groundtruth"
)

// Sides of images that training takes, in pixels, and the longest side by the shortest.
const (
	minSide   = 64
	maxSide   = 4096
	maxAspect = 20
)

// fetchImages brings the images of both halves here, each once, named by its content.
func (t *training) fetchImages(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(checkers)
	for _, h := range []*half{&t.train, &t.test} {
		for i := range h.records {
			if r := &h.records[i]; r.line != nil {
				g.Go(func() error { return t.fetchImage(gctx, r) })
			}
		}
	}
	return g.Wait()
}

// fetchImage brings a record's image, or notes that it is none.
func (t *training) fetchImage(ctx context.Context, r *record) error {
	data, err := t.Objects.Read(ctx, t.version.ARN.Account, r.line.Bucket, r.line.Key, "", t.Limits.ImageBytes)
	if err != nil && (ctx.Err() != nil || trilobite.CodeOf(err) == trilobite.Canceled) {
		return err
	}
	if err == nil {
		var ok bool
		if r.w, r.h, ok = takes(data); ok {
			r.file, err = t.keepImage(data)
			return err
		}
	} else if _, err := t.Objects.Stat(ctx, t.version.ARN.Account, r.line.Bucket, r.line.Key); trilobite.CodeOf(err) == trilobite.Forbidden && err != nil {
		r.denied = true
	}
	r.text, err = groundtruth.AddError(r.text, groundtruth.InvalidImage)
	return err
}

// takes reports whether data is an image that training takes, by its header.
func takes(data []byte) (w, h int, ok bool) {
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	short, long := min(c.Width, c.Height), max(c.Width, c.Height)
	return c.Width, c.Height, err == nil && short >= minSide && long <= maxSide && long <= maxAspect*short
}

// keepImage writes an image under the name of its content, once, and returns its path.
func (w *Worker) keepImage(data []byte) (string, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	dir := filepath.Join(w.Dir, "images", name[:2])
	file := filepath.Join(dir, name)
	now := time.Now()
	if err := os.Chtimes(file, now, now); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return file, err // package gc sees that it is used
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "new-")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return file, nil
}
