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
	"trilobite/atomicfile"
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
	account := t.version.ARN.Account
	data, err := t.Objects.Read(ctx, account, r.line.Bucket, r.line.Key, "", t.Limits.ImageBytes)
	if err == nil {
		var ok bool
		if r.w, r.h, ok = takes(data); ok {
			r.file, err = t.keepImage(data)
			return err
		}
	} else if trilobite.CodeOf(err) != trilobite.ImageTooLarge {
		_, why := t.Objects.Stat(ctx, account, r.line.Bucket, r.line.Key)
		if passing(ctx, why, t.version.CreatedAt) {
			return why
		}
		r.denied = why != nil && trilobite.CodeOf(why) == trilobite.Forbidden
	}
	r.text, err = groundtruth.AddError(r.text, groundtruth.InvalidImage)
	return err
}

// patience is how long a bucket that does not answer is asked again.
const patience = 10 * time.Minute

// passing reports whether an error of a bucket's may pass: nothing says that the object is
// not there or not ours, and the work began at most patience ago.
func passing(ctx context.Context, err error, since time.Time) bool {
	if err == nil {
		return false
	}
	switch trilobite.CodeOf(err) {
	case trilobite.NotFound, trilobite.Forbidden:
		return false
	case trilobite.Canceled:
		return true
	default:
		return ctx.Err() != nil || time.Since(since) <= patience
	}
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
	return file, atomicfile.WriteFile(file, data, 0o600)
}
