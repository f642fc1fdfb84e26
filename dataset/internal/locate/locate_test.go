package locate

import (
	"errors"
	"strings"
	"testing"

	"trilobite/dataset/internal/treetest"
)

func TestFind(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{"images/a.png": "", "masks/a.png": "", "x/b c.png": "", "notes.txt": "", ".hidden/h.png": "", "link.png": "-> /etc/passwd"})
	fetched := func(url string) (string, error) { return "", errors.New("fetch " + url) }
	f, err := New(dir, fetched)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, ref, want, err string }{
		{"a path", "images/a.png", "images/a.png", ""},
		{"the end of a key", "s3://bucket/set/masks/a.png", "masks/a.png", ""},
		{"a key that is not escaped", "s3://bucket/b c.png", "x/b c.png", ""},
		{"an escaped URL", "https://host/some/b%20c.png?size=5", "x/b c.png", ""},
		{"Label Studio's local file", "/data/local-files/?d=set/b%20c.png", "x/b c.png", ""},
		{"Label Studio's upload", "/data/upload/3/0123abcd-b c.png", "x/b c.png", ""},
		{"Windows", `C:\set\images\a.png`, "images/a.png", ""},
		{"out of the folder", "../../images/a.png", "images/a.png", ""},
		{"one of two", "a.png", "", "a.png may be several pictures below"},
		{"not here, by path", "c.png", "", "there is no picture c.png below"},
		{"not here, by URL", "gs://bucket/c.png", "", "fetch gs://bucket/c.png"},
		{"no picture", "notes.txt", "", "there is no picture"},
		{"hidden", ".hidden/h.png", "", "there is no picture"},
		{"a link", "link.png", "", "there is no picture"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := f.Find(tt.ref)
			if got = strings.TrimPrefix(got, dir+"/"); got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %q, %v; want %q, %q", got, err, tt.want, tt.err)
			}
		})
	}
	other, err := New(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Find("gs://bucket/c.png"); err == nil || !strings.Contains(err.Error(), "nothing is fetched unless it is asked for") {
		t.Errorf("without a fetcher: %v", err)
	}
}
