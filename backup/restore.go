package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"trilobite"
)

// maxList bounds the list at an archive's end, bytes: a million files.
const maxList = 256 << 20

// Restore makes home of an archive: whole or not at all. A home that is there must be
// empty; replace moves it aside first, to the name that is returned. ready, if it is not
// nil, looks at the restored folder before it takes its place.
func Restore(ctx context.Context, r io.Reader, home string, replace bool, ready func(ctx context.Context, folder string) error) (c Content, aside string, err error) {
	there, err := occupied(home)
	if err != nil {
		return c, "", err
	}
	if there && !replace {
		return c, "", &trilobite.Error{Op: "backup.Restore", Code: trilobite.Exists,
			Msg: home + " is not empty. Name another folder with --home, or move what is there aside with --replace."}
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o700); err != nil {
		return c, "", err
	}
	folder, err := os.MkdirTemp(filepath.Dir(home), filepath.Base(home)+".restore-")
	if err != nil {
		return c, "", err
	}
	defer os.RemoveAll(folder)
	if c, err = unpack(ctx, r, folder); err != nil {
		return c, "", err
	}
	if ready != nil {
		if err := ready(ctx, folder); err != nil {
			return c, "", err
		}
	}
	if there {
		aside = home + ".before-" + c.CreatedAt.Format("20060102T150405")
		for n := 2; ; n++ {
			if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
				break
			}
			aside = fmt.Sprintf("%s.before-%s-%d", home, c.CreatedAt.Format("20060102T150405"), n)
		}
		if err := os.Rename(home, aside); err != nil {
			return c, "", err
		}
	} else if err := os.RemoveAll(home); err != nil { // it has nothing but a lock
		return c, "", err
	}
	return c, aside, os.Rename(folder, home)
}

// occupied reports whether a folder has anything but the lock of who asks.
func occupied(home string) (bool, error) {
	all, err := os.ReadDir(home)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	for _, e := range all {
		if e.Name() != LockFile {
			return true, err
		}
	}
	return false, err
}

// unpack writes an archive's files below folder and compares them with its list.
func unpack(ctx context.Context, r io.Reader, folder string) (Content, error) {
	var c Content
	got := map[string]File{}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return c, err
	}
	defer root.Close()
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		switch {
		case ctx.Err() != nil:
			return c, ctx.Err()
		case errors.Is(err, io.EOF):
			return c, broken("it ends before its list of files: it was cut off")
		case err != nil:
			return c, broken(err.Error())
		case h.Name == listed:
			if err := json.NewDecoder(io.LimitReader(t, maxList)).Decode(&c); err != nil {
				return c, broken("its list of files: " + err.Error())
			}
			return c, compare(c, got)
		case h.Typeflag != tar.TypeReg || !filepath.IsLocal(filepath.FromSlash(h.Name)):
			return c, broken(fmt.Sprintf("it has %q, which no backup has", h.Name))
		}
		f, err := extract(root, t, h)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return c, broken("it ends within " + h.Name + ": it was cut off")
		} else if err != nil {
			return c, fmt.Errorf("%s: %w", h.Name, err)
		}
		got[h.Name] = f
	}
}

func extract(root *os.Root, r io.Reader, h *tar.Header) (File, error) {
	name := filepath.FromSlash(h.Name)
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return File{}, err
		}
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(h.Mode).Perm())
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), r)
	if err = errors.Join(err, f.Close()); err != nil {
		return File{}, err
	}
	return File{h.Name, n, hex.EncodeToString(sum.Sum(nil))}, root.Chtimes(name, h.ModTime, h.ModTime)
}

// compare fails unless the archive had exactly the files of its list.
func compare(c Content, got map[string]File) error {
	if c.Format != format {
		return broken(fmt.Sprintf("its format is %d, this program knows %d", c.Format, format))
	}
	for _, f := range c.Files {
		if got[f.Name] != f {
			return broken(fmt.Sprintf("%s is missing or damaged", f.Name))
		}
	}
	if len(got) != len(c.Files) {
		return broken(fmt.Sprintf("it has %d files, its list %d", len(got), len(c.Files)))
	}
	return nil
}

func broken(why string) error {
	return &trilobite.Error{Op: "backup.Restore", Code: trilobite.Invalid, Msg: "The archive cannot be restored: " + why + "."}
}
