package dataset

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Folder is where a data set is written to: the writers of the formats name files below
// it, and it opens, copies and closes them.
type Folder struct {
	Dir string
	// Prefix is put before a picture's path in formats that name pictures by URL, such as
	// s3://bucket/set/; it ends in a slash. "": paths from Dir.
	Prefix string
	// Created is when the set was written, for formats that say so (RFC 3339).
	Created string
	// Link makes hard links of pictures where the file system can; else they are copied.
	Link bool
}

// Ref returns how a manifest names the file called name.
func (f *Folder) Ref(name string) string { return f.Prefix + name }

// Add copies the file at source to name.
func (f *Folder) Add(source, name string) error {
	to, err := f.place(name)
	if err != nil {
		return err
	}
	if f.Link && os.Link(source, to) == nil {
		return nil
	}
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // G302: data sets are for others to read
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Write gives w to fill, which fills the file called name. An error of fill's leaves
// what was written.
func (f *Folder) Write(name string, fill func(w *bufio.Writer) error) error {
	to, err := f.place(name)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // G302: data sets are for others to read
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	return errors.Join(fill(w), w.Flush(), out.Close())
}

// WriteJSON writes v to the file called name.
func (f *Folder) WriteJSON(name string, v any) error {
	return f.Write(name, func(w *bufio.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	})
}

// WriteFile writes data to the file called name.
func (f *Folder) WriteFile(name string, data []byte) error {
	return f.Write(name, func(w *bufio.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Mkdir makes a folder, which may stay empty.
func (f *Folder) Mkdir(name string) error {
	to, err := Path(f.Dir, name)
	if err != nil {
		return err
	}
	return os.MkdirAll(to, 0o755)
}

// place returns the path of name, whose folders it makes.
func (f *Folder) place(name string) (string, error) {
	to, err := Path(f.Dir, name)
	if err != nil {
		return "", err
	}
	return to, os.MkdirAll(filepath.Dir(to), 0o755)
}

// In returns name below folders, of which empty ones are left out.
func In(name string, folders ...string) string { return path.Join(append(folders, name)...) }

// Stem returns a file's name without its ending.
func Stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

// CheckFolderName fails where a class cannot be a folder's name.
func CheckFolderName(class string) error {
	if class == "" || class != strings.TrimSpace(class) || IsHidden(class) || strings.ContainsAny(class, "/\\\x00\n\r\t") || !filepath.IsLocal(class) {
		return fmt.Errorf("the class %q cannot be the name of a folder: rename it, or choose a format that keeps names in a file", class)
	}
	return nil
}
