package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/gcsblob" // gs://
	_ "gocloud.dev/blob/s3blob"  // s3://

	"trilobite/atomicfile"
)

// datasetFetcher brings the pictures that manifests name by URL, for the person at the
// command line, and keeps them: what was fetched once is not fetched again.
type datasetFetcher struct {
	ctx  context.Context //nolint:containedctx // the readers of formats ask for a picture at a time, without one
	app  *App
	dir  string
	open map[string]*blob.Bucket // by scheme and name
}

func newDatasetFetcher(ctx context.Context, app *App, dir string) *datasetFetcher {
	return &datasetFetcher{ctx: ctx, app: app, dir: dir, open: map[string]*blob.Bucket{}}
}

func (f *datasetFetcher) close() {
	for _, b := range f.open {
		_ = b.Close()
	}
}

// fetch returns the path of the picture at a URL.
func (f *datasetFetcher) fetch(ref string) (string, error) {
	scheme, rest, _ := strings.Cut(ref, "://")
	name := sha256.Sum256([]byte(ref))
	clean, _, _ := strings.Cut(rest, "?")
	file := filepath.Join(f.dir, hex.EncodeToString(name[:])+strings.ToLower(path.Ext(clean)))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	var data []byte
	var err error
	switch scheme {
	case "http", "https":
		data, err = f.app.fetch(f.ctx, ref)
	case "s3", "gs":
		data, err = f.object(scheme, rest)
	default:
		return "", fmt.Errorf("%.200s: only http, https, s3 and gs are fetched", ref)
	}
	if err != nil {
		return "", fmt.Errorf("fetching %.200s: %s", ref, errorText(err))
	}
	return file, f.keep(file, data)
}

// object reads an object of a bucket, with the credentials of the environment.
func (f *datasetFetcher) object(scheme, rest string) ([]byte, error) {
	name, key, _ := strings.Cut(rest, "/")
	at := (&url.URL{Scheme: scheme, Host: name}).String()
	b := f.open[at]
	if b == nil {
		var err error
		if b, err = blob.OpenBucket(f.ctx, at); err != nil {
			return nil, err
		}
		f.open[at] = b
	}
	r, err := b.NewReader(f.ctx, key, nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxImageFile+1))
	if err == nil && len(data) > maxImageFile {
		err = fmt.Errorf("it has more than %d bytes", maxImageFile)
	}
	return data, err
}

// keep writes a file whole or not at all.
func (f *datasetFetcher) keep(file string, data []byte) error {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(file, data, atomicfile.Perm)
}
