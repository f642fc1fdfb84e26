package objects

import (
	"errors"
	"io"
	"testing"

	"trilobite"
)

func TestWriteAndOpen(t *testing.T) {
	t.Parallel()
	b, err := New(map[string]Bucket{
		"shared": {URL: "file://" + t.TempDir() + "?metadata=skip"},
		"theirs": {URL: "mem://", Accounts: []string{"222222222222"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	const us = "111111111111"
	ctx := t.Context()
	if err := b.Write(ctx, us, "shared", "results/a.json", []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := b.Write(ctx, us, "shared", "results/a.json", []byte("second")); err != nil {
		t.Fatal(err)
	}
	r, size, err := b.Open(ctx, us, "shared", "results/a.json", "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || size != 6 || string(data) != "second" {
		t.Errorf("read %q of %d bytes, %v", data, size, err)
	}
	if size, err := b.Stat(ctx, us, "shared", "results/a.json"); err != nil || size != 6 {
		t.Errorf("size %d, %v", size, err)
	}
	for name, tt := range map[string]struct {
		bucket, key string
		want        trilobite.Code
	}{
		"no such object":    {"shared", "none", trilobite.NotFound},
		"a folder":          {"shared", "results", trilobite.NotFound},
		"a way out":         {"shared", "../a", trilobite.NotFound},
		"no such bucket":    {"none", "a", trilobite.Forbidden},
		"another's account": {"theirs", "a", trilobite.Forbidden},
	} {
		_, _, opened := b.Open(ctx, us, tt.bucket, tt.key, "")
		_, looked := b.Stat(ctx, us, tt.bucket, tt.key)
		for _, err := range []error{opened, looked} {
			if err == nil || trilobite.CodeOf(err) != tt.want {
				t.Errorf("%s: %v, want %s", name, err, tt.want)
			}
		}
		if err := b.Write(ctx, us, tt.bucket, tt.key, nil); tt.want == trilobite.Forbidden && trilobite.CodeOf(err) != trilobite.Forbidden {
			t.Errorf("writing to %s: %v", name, err)
		}
	}
	if err := b.Write(ctx, us, "shared", "../a", nil); err == nil {
		t.Error("written outside the bucket")
	}
}
