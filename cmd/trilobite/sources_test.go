package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// photos makes a folder of small files, whose contents are their names, and returns
// its path.
func photos(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExpand(t *testing.T) {
	t.Parallel()
	dir := photos(t, "b.jpg", "a.PNG", "sub/deep/c.webp", "sub/notes.txt", "odd[1].jpg", "raw.xyz")
	empty := photos(t, "notes.txt")
	at := func(names ...string) []string {
		paths := make([]string, len(names))
		for i, n := range names {
			paths[i] = filepath.Join(dir, filepath.FromSlash(n))
		}
		return paths
	}
	tests := []struct {
		name string
		args []string
		want []string // the sources' names
		read string   // what the first one reads
		err  string
	}{
		{"a file", at("b.jpg"), at("b.jpg"), "b.jpg", ""},
		{"a file of any ending, if named", at("raw.xyz"), at("raw.xyz"), "raw.xyz", ""},
		{"a folder: its images, those below too, by name", []string{dir}, at("a.PNG", "b.jpg", "odd[1].jpg", "sub/deep/c.webp"), "a.PNG", ""},
		{"a pattern", at("*.jpg"), at("b.jpg", "odd[1].jpg"), "b.jpg", ""},
		{"a file that looks like a pattern is a file", at("odd[1].jpg"), at("odd[1].jpg"), "odd[1].jpg", ""},
		{"the arguments' order stays", at("b.jpg", "a.PNG", "b.jpg"), at("b.jpg", "a.PNG", "b.jpg"), "b.jpg", ""},
		{"standard input", []string{"-"}, []string{"-"}, "from stdin", ""},
		{"a URL", []string{"https://example.com/a.jpg"}, []string{"https://example.com/a.jpg"}, "from https://example.com/a.jpg", ""},
		{"a missing file shows when it is read", at("none.jpg"), at("none.jpg"), "", ""},
		{"a pattern that matches nothing", at("*.tiff"), nil, "", "nothing matches"},
		{"a pattern that is none", at("[a-.jpg"), nil, "", "syntax error in pattern"},
		{"a folder without images", []string{empty}, nil, "", "holds no image"},
		{"one bad argument spoils all", append(at("b.jpg"), empty), nil, "", "holds no image"},
	}
	fetch := func(_ context.Context, url string) ([]byte, error) { return []byte("from " + url), nil }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sources, err := expand(tt.args, strings.NewReader("from stdin"), fetch)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("expand: %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			names := make([]string, len(sources))
			for i, s := range sources {
				names[i] = s.name
			}
			if diff := cmp.Diff(tt.want, names); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			data, err := sources[0].read(t.Context())
			if string(data) != tt.read || (tt.read == "") != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("read %q, %v, want %q", data, err, tt.read)
			}
		})
	}
}

func TestNameCopies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		of   []string
		want []string
	}{
		{"a file keeps its ending", []string{"photos/a.jpg", "photos/a.webp"}, []string{"a.jpg.png", "a.webp.png"}},
		{"namesakes of other folders get numbers", []string{"x/a.jpg", "y/a.jpg", "a.jpg-2", "z/a.jpg"}, []string{"a.jpg.png", "a.jpg-2.png", "a.jpg-2-2.png", "a.jpg-3.png"}},
		{"standard input", []string{"-"}, []string{"stdin.png"}},
		{"a URL without its query", []string{"https://example.com/x/a.webp?size=2#top"}, []string{"a.webp.png"}},
		{"an escaped URL", []string{"https://example.com/caf%C3%A9.jpg"}, []string{"café.jpg.png"}},
		{"an escaped slash leads nowhere", []string{"https://example.com/..%2F..%2Fetc%2Fpasswd"}, []string{"passwd.png"}},
		{"a URL of no path", []string{"https://example.com", "https://example.com/"}, []string{"image.png", "image-2.png"}},
		{"a name with a colon", []string{"a:b.jpg"}, []string{"a:b.jpg.png"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sources := make([]source, len(tt.of))
			for i, n := range tt.of {
				sources[i].name = n
			}
			nameCopies(sources, "out")
			for i, s := range sources {
				if want := filepath.Join("out", tt.want[i]); s.annotated != want {
					t.Errorf("%s goes to %s, want %s", s.name, s.annotated, want)
				}
			}
		})
	}
}
