package objects

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// quota is a bucket "b" of account "a" in a folder of its own, with a quota.
func quota(t *testing.T, more int64) *Hosted {
	t.Helper()
	h, err := OpenHosted(t.Context(), "file://"+filepath.ToSlash(t.TempDir())+"?no_tmp_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	for _, account := range []string{"a", "other"} {
		if err := h.Create(t.Context(), account, "bucket"); err != nil {
			t.Fatal(err)
		}
	}
	u := &usage{}
	if err := h.count(t.Context(), "a", u); err != nil {
		t.Fatal(err)
	}
	h.Quota = u.stored + more // the bucket itself takes some
	return h
}

func TestQuota(t *testing.T) {
	t.Parallel()
	h := quota(t, 100)
	put := func(account, key string, size int) error {
		_, err := h.Put(t.Context(), account, "bucket", key, Attributes{}, strings.NewReader(strings.Repeat("x", size)), false)
		return err
	}
	steps := []struct {
		what string
		do   func() error
		want error
	}{
		{"60 of 100", func() error { return put("a", "one", 60) }, nil},
		{"50 more", func() error { return put("a", "two", 50) }, ErrQuota},
		{"another account's 50", func() error { return put("other", "two", 50) }, nil},
		{"the last 40", func() error { return put("a", "two", 40) }, nil},
		{"one byte more", func() error { return put("a", "three", 1) }, ErrQuota},
		{"the same again in its place", func() error { return put("a", "one", 60) }, nil},
		{"more in its place", func() error { return put("a", "one", 61) }, ErrQuota},
		{"after a deletion", func() error { return errors.Join(h.Remove(t.Context(), "a", "bucket", "two"), put("a", "three", 40)) }, nil},
		{"after it", func() error { return put("a", "four", 1) }, ErrQuota},
	}
	for _, s := range steps {
		if err := s.do(); !errors.Is(err, s.want) || s.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", s.what, err, s.want)
		}
	}
	if got, err := h.Stat(t.Context(), "a", "bucket", "one"); err != nil || got.Size != 60 {
		t.Errorf("what was refused left %+v, %v; want the old 60 bytes", got, err)
	}
}

// TestQuotaOfUploads fills a quota by parts; what they make takes no more than they did.
func TestQuotaOfUploads(t *testing.T) {
	t.Parallel()
	const slack = 1000 // for the upload's own record
	h := quota(t, 2*MinPart+slack)
	ctx := t.Context()
	u, err := h.Start(ctx, "a", "bucket", "k", Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	part := func(n int) (Part, error) {
		etag, err := h.PutPart(ctx, "a", "bucket", "k", u.ID, n, Attributes{}, bytes.NewReader(make([]byte, MinPart)))
		return Part{Number: n, ETag: etag}, err
	}
	var parts []Part
	for n := range 2 {
		p, err := part(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	if _, err := part(3); !errors.Is(err, ErrQuota) {
		t.Errorf("a third part: %v", err)
	}
	if _, err := h.Complete(ctx, "a", "bucket", "k", u.ID, parts, &bytes.Buffer{}, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Put(ctx, "a", "bucket", "more", Attributes{}, bytes.NewReader(make([]byte, slack+1)), false); !errors.Is(err, ErrQuota) {
		t.Errorf("after it: %v", err)
	}
}

// TestQuotaRaces lets many write at once: no more fits than the quota.
func TestQuotaRaces(t *testing.T) {
	t.Parallel()
	h := quota(t, 3000)
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			_, err := h.Put(context.WithoutCancel(t.Context()), "a", "bucket", string(rune('a'+n)), Attributes{}, strings.NewReader(strings.Repeat("x", 1000)), false)
			if err != nil && !errors.Is(err, ErrQuota) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	page, err := h.Objects(t.Context(), "a", "bucket", "", "", "", 99)
	if err != nil || len(page.Objects) > 3 || len(page.Objects) == 0 {
		t.Errorf("%d objects, %v; want one to three of 1000 bytes", len(page.Objects), err)
	}
}
