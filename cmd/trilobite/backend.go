package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"

	"trilobite/config"
	"trilobite/learn"
	"trilobite/objects"
	"trilobite/ort"
	"trilobite/serving"
)

// backend is what servers and workers have in common: the models in memory, the records,
// the buckets and the trainer.
type backend struct {
	registry *serving.Registry
	db       records
	buckets  *objects.Buckets
	hosted   *objects.Hosted
	models   *learn.Engine

	closers []func() error // of what is open, in the order of opening
}

// openBackend opens all of it, or nothing. Measurements go to rec, nil for nowhere.
func openBackend(ctx context.Context, c config.Config, log *slog.Logger, rec ort.Recorder) (opened *backend, err error) {
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return nil, err
	}
	b := &backend{registry: serving.New(servingConfig(rt, c, rec))}
	b.closers = append(b.closers, func() error { b.registry.Close(); return nil })
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.db, err = openStore(ctx, c); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, b.db.Close)
	if b.buckets, err = openBuckets(c); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, b.buckets.Close)
	if b.hosted, err = openHosted(ctx, c); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, b.hosted.Close)
	b.buckets.Host(b.hosted)
	b.models = customModels(c, log, rt, b.registry)
	closeShelf, err := shareModels(ctx, c, b.models)
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, closeShelf)
	return b, nil
}

// Close closes what is open, the last first.
func (b *backend) Close() error {
	var err error
	for _, closer := range slices.Backward(b.closers) {
		err = errors.Join(err, closer())
	}
	b.closers = nil
	return err
}

// openHosted opens the buckets that clients make.
func openHosted(ctx context.Context, c config.Config) (*objects.Hosted, error) {
	at, err := hostedURL(c)
	if err != nil {
		return nil, err
	}
	hosted, err := objects.OpenHosted(ctx, at)
	if err == nil {
		hosted.Quota = c.Quota.Bytes
	}
	return hosted, err
}

// hostedURL is where the buckets that clients make are kept. In a folder, a file that is
// being written lies beside its place, so that it can take it in one step.
func hostedURL(c config.Config) (string, error) {
	if c.S3.URL != "" {
		return c.S3.URL, nil
	}
	folder, err := filepath.Abs(filepath.Join(c.Home, "s3"))
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(folder), RawQuery: "create_dir=true&dir_file_mode=0700&no_tmp_dir=true"}
	return u.String(), nil
}

func openBuckets(c config.Config) (*objects.Buckets, error) {
	named, err := c.NamedBuckets()
	if err != nil {
		return nil, err
	}
	all := map[string]objects.Bucket{}
	for _, b := range named {
		o := all[b.Name]
		o.URL = b.URL
		if b.Account != "" {
			o.Accounts = append(o.Accounts, b.Account)
		}
		all[b.Name] = o
	}
	return objects.New(all)
}
