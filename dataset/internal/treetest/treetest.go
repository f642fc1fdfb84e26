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

// CheckSet fails where a set holds what no reader may let through.
func CheckSet(t testing.TB, s *dataset.Set) {
	t.Helper()
	for _, img := range s.Images {
		for _, c := range img.Classes {
			if c < 0 || c >= len(s.Classes) {
				t.Errorf("class %d of %d", c, len(s.Classes))
			}
		}
		for _, o := range img.Objects {
			if o.Class < 0 || o.Class >= len(s.Classes) || dataset.CheckRect(o.Box) != nil || o.Box.W == 0 || o.Box.H == 0 {
				t.Errorf("accepted %+v", o)
			}
			for _, p := range o.Polygons {
				if err := dataset.CheckPolygon(p); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
