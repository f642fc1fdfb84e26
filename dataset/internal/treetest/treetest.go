// Package treetest makes folders of files for tests of readers.
package treetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
)

// New writes files, text by path, below a temporary folder and returns it. A path that
// ends in / is a folder; text that begins with "-> " makes a symbolic link.
func New(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var err error
		target, link := strings.CutPrefix(text, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o700)
		case link:
			err = os.Symlink(target, path)
		default:
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Unplaced makes cmp pass over where things stand in their files.
func Unplaced() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && (f.Name() == "Line" || f.Name() == "Source")
	}, cmp.Ignore())
}

// Dropped returns what was left out, with file names relative to dir.
func Dropped(s *dataset.Set, dir string) []string {
	var out []string
	for _, d := range s.Dropped {
		out = append(out, strings.ReplaceAll(d.String(), dir+"/", ""))
	}
	return out
}
