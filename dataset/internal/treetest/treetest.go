// Package treetest makes folders of files for tests of readers.
package treetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// Dropped returns what was left out, with file names relative to dir.
func Dropped(s *dataset.Set, dir string) []string {
	var out []string
	for _, d := range s.Dropped {
		out = append(out, strings.ReplaceAll(d.String(), dir+"/", ""))
	}
	return out
}
