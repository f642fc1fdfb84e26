package fetch

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/atomicfile"
)

// maxFile bounds one unpacked file: 1 GiB, far above any pinned one.
const maxFile = 1 << 30

// unpack writes the members that files names under dir. Every entry of files must
// be found.
func unpack(archive string, files map[string]string, dir string) error {
	missing := maps.Clone(files)
	write := func(member string, r io.Reader) error {
		pattern, to, ok := target(files, member)
		if !ok {
			return nil
		}
		delete(missing, pattern)
		data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
		if err != nil {
			return fmt.Errorf("reading %s: %w", member, err)
		}
		if len(data) > maxFile {
			return fmt.Errorf("%s is larger than %d bytes", member, maxFile)
		}
		return writeFile(filepath.Join(dir, filepath.FromSlash(to)), data)
	}
	walk := walkZip
	if strings.HasSuffix(archive, ".tgz") {
		walk = walkTar
	}
	if err := walk(archive, write); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("the archive lacks %s, which deps.yaml names", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return nil
}

func walkZip(archive string, write func(string, io.Reader) error) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("opening %s: %w", f.Name, err)
		}
		if err := errors.Join(write(f.Name, r), r.Close()); err != nil {
			return err
		}
	}
	return nil
}

func walkTar(archive string, write func(string, io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	g, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(g); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := write(h.Name, r); err != nil {
			return err
		}
	}
}

// writeFile writes a file whole or not at all.
func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(name, data, atomicfile.Perm)
}
