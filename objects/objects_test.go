package objects

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite"
)

func TestRead(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("secret.txt", "secret")
	write("photos/cat.jpg", "meow")
	write("photos/2026/été café.jpg", "warm")
	b, err := New(map[string]Bucket{
		"photos":  {URL: "file://" + root + "/photos"},
		"year":    {URL: "file://" + root + "/photos?prefix=2026/"},
		"private": {URL: "file://" + root + "/photos", Accounts: []string{"111111111111"}},
		"gone":    {URL: "file://" + root + "/gone"},
		"memory":  {URL: "mem://"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	const account = "000000000000"
	tests := []struct {
		name, account, bucket, key, version string
		limit                               int64
		want                                string
		code                                trilobite.Code // empty: no error
	}{
		{"an object", account, "photos", "cat.jpg", "", 100, "meow", ""},
		{"exactly at the limit", account, "photos", "cat.jpg", "", 4, "meow", ""},
		{"over the limit", account, "photos", "cat.jpg", "", 3, "", trilobite.ImageTooLarge},
		{"a key of several parts", account, "photos", "2026/été café.jpg", "", 100, "warm", ""},
		{"below a prefix", account, "year", "été café.jpg", "", 100, "warm", ""},
		{"out of a prefix", account, "year", "../cat.jpg", "", 100, "", trilobite.Unreachable},
		{"out of the directory", account, "photos", "../secret.txt", "", 100, "", trilobite.Unreachable},
		{"out by a detour", account, "photos", "2026/../../secret.txt", "", 100, "", trilobite.Unreachable},
		{"absolute", account, "photos", root + "/secret.txt", "", 100, "", trilobite.Unreachable},
		{"backslashes", account, "photos", `..\secret.txt`, "", 100, "", trilobite.Unreachable},
		{"no key", account, "photos", "", "", 100, "", trilobite.Unreachable},
		{"a directory", account, "photos", "2026", "", 100, "", trilobite.Unreachable},
		{"no such object", account, "photos", "dog.jpg", "", 100, "", trilobite.Unreachable},
		{"no such object in memory", account, "memory", "dog.jpg", "", 100, "", trilobite.Unreachable},
		{"a version where there are none", account, "photos", "cat.jpg", "7", 100, "", trilobite.Unreachable},
		{"no such bucket", account, "other", "cat.jpg", "", 100, "", trilobite.Unreachable},
		{"a bucket that cannot be opened", account, "gone", "cat.jpg", "", 100, "", trilobite.Unreachable},
		{"another account's bucket", account, "private", "cat.jpg", "", 100, "", trilobite.Unreachable},
		{"the account's own bucket", "111111111111", "private", "cat.jpg", "", 100, "meow", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := b.Read(t.Context(), tt.account, tt.bucket, tt.key, tt.version, tt.limit)
			if tt.code == "" && (err != nil || string(got) != tt.want) {
				t.Errorf("Read = %q, %v, want %q", got, err, tt.want)
			}
			if tt.code != "" && (err == nil || trilobite.CodeOf(err) != tt.code || got != nil) {
				t.Errorf("Read = %q, %v, want code %s", got, err, tt.code)
			}
		})
	}
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Read(ctx, account, "photos", "cat.jpg", "", 100); trilobite.CodeOf(err) != trilobite.Canceled {
			t.Errorf("Read = %v, want code canceled", err)
		}
	})
}

// TestS3 reads from a server that answers as S3 does, to see the version arrive.
func TestS3(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/photos/cat.jpg" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		_, _ = w.Write([]byte("version " + r.URL.Query().Get("versionId")))
	}))
	t.Cleanup(srv.Close)
	b, err := New(map[string]Bucket{"photos": {
		URL: "s3://photos?region=us-east-1&anonymous=true&use_path_style=true&endpoint=" + url.QueryEscape(srv.URL),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if got, err := b.Read(t.Context(), "000000000000", "photos", "cat.jpg", "v7", 100); err != nil || string(got) != "version v7" {
		t.Errorf("Read = %q, %v", got, err)
	}
	if _, err := b.Read(t.Context(), "000000000000", "photos", "cat.jpg", "v7", 9); trilobite.CodeOf(err) != trilobite.ImageTooLarge {
		t.Errorf("Read over the limit: %v", err)
	}
	if _, err := b.Read(t.Context(), "000000000000", "photos", "dog.jpg", "", 100); trilobite.CodeOf(err) != trilobite.Unreachable {
		t.Errorf("Read of no object: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "/srv/photos", "http://example.com/", "::"} {
		if _, err := New(map[string]Bucket{"photos": {URL: bad}}); err == nil || !strings.Contains(err.Error(), "bucket photos") {
			t.Errorf("New with URL %q: %v, want an error that names the bucket", bad, err)
		}
	}
	for _, good := range []string{"s3://photos?region=eu-west-1", "gs://photos", "mem://", "file:///srv/photos"} {
		if _, err := New(map[string]Bucket{"photos": {URL: good}}); err != nil {
			t.Errorf("New with URL %q: %v", good, err)
		}
	}
}
