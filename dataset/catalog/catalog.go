// Package catalog keeps imported data sets: their labels as versions that never change, in
// a folder of the home, and their files in a blob store, each content once.
//
// A version is a header, N.json, and a file with a line for each picture. The header comes
// last: a version is there whole or not at all. Start at Catalog.Import.
package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"trilobite"
	"trilobite/blobs"
)

// Catalog is the folder of all imported sets.
type Catalog struct {
	dir   string
	blobs *blobs.Store
}

// New returns the sets under home, whose files are in the store.
func New(home string, store *blobs.Store) *Catalog {
	return &Catalog{filepath.Join(home, "datasets"), store}
}

// Header is what is known of a version without reading its pictures.
type Header struct {
	Name    string    `json:"name"`
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	Source  string    `json:"source"` // what was imported, or what was done to another version
	Format  string    `json:"format"`
	Digest  string    `json:"digest"` // "sha256:…" of the lines and classes

	Images  int            `json:"images"`
	Objects int            `json:"objects"`
	Masks   int            `json:"masks"`
	Splits  map[string]int `json:"splits,omitempty"`
	Bytes   int64          `json:"bytes"` // of all files
	Dropped int            `json:"dropped"`

	Classes []string          `json:"classes"`
	ByIndex bool              `json:"by_index,omitempty"`
	Ignore  int               `json:"ignore"`
	Colors  map[string]int    `json:"colors,omitempty"` // by #rrggbb
	Values  map[string]int    `json:"values,omitempty"`
	Notes   map[string]string `json:"notes,omitempty"`
}

// Ref returns "name@version".
func (h *Header) Ref() string { return h.Name + "@" + strconv.Itoa(h.Version) }

var validName = regexp.MustCompile(`\A[a-z0-9][a-z0-9._-]{0,62}\z`)

// CheckName fails where a set cannot be called so.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return &trilobite.Error{Op: "catalog", Code: trilobite.Invalid, Msg: fmt.Sprintf("The name %.80q is not made of lower-case letters, digits, dots, dashes and underscores.", name)}
	}
	return nil
}

// parseRef reads "name" or "name@version"; version 0 is the newest.
func parseRef(ref string) (name string, version int, err error) {
	name, number, given := strings.Cut(ref, "@")
	if given {
		if version, err = strconv.Atoi(number); err != nil || version < 1 {
			return "", 0, &trilobite.Error{Op: "catalog", Code: trilobite.Invalid, Msg: fmt.Sprintf("%.80q names no version: write %s@1.", ref, name)}
		}
	}
	return name, version, CheckName(name)
}

// IsRef reports whether ref can name an imported set.
func IsRef(ref string) bool {
	_, _, err := parseRef(ref)
	return err == nil
}

// versions returns the versions of a set, in order.
func (c *Catalog) versions(name string) ([]int, error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []int
	for _, e := range entries {
		if number, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			if n, err := strconv.Atoi(number); err == nil && n > 0 {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out, err
}

// Get returns the header of "name" or "name@version". It fails with trilobite.NotFound.
func (c *Catalog) Get(ref string) (*Header, error) {
	name, version, err := parseRef(ref)
	if err != nil {
		return nil, err
	}
	all, err := c.versions(name)
	if err != nil {
		return nil, err
	}
	if version == 0 && len(all) > 0 {
		version = all[len(all)-1]
	}
	if !slices.Contains(all, version) {
		return nil, &trilobite.Error{Op: "catalog.Get", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no imported data set %.80q; `trilobite dataset list` shows all.", ref)}
	}
	return c.header(name, version)
}

// file is the header of a version.
func (c *Catalog) file(name string, version int) string {
	return filepath.Join(c.dir, name, strconv.Itoa(version)+".json")
}

// lines is the file with a version's pictures, named by its digest: versions that are the
// same share it.
func (c *Catalog) lines(h *Header) string {
	return filepath.Join(c.dir, h.Name, strings.TrimPrefix(h.Digest, "sha256:")+".jsonl")
}

func (c *Catalog) header(name string, version int) (*Header, error) {
	path := c.file(name, version)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var h Header
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	h.Name, h.Version = name, version
	return &h, nil
}

// List returns all versions of all sets, by name and then the newest first.
func (c *Catalog) List() ([]*Header, error) {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var out []*Header
	for _, e := range entries {
		if !e.IsDir() || !validName.MatchString(e.Name()) {
			continue
		}
		all, err := c.versions(e.Name())
		if err != nil {
			return nil, err
		}
		for _, n := range slices.Backward(all) {
			h, err := c.header(e.Name(), n)
			if err != nil {
				return nil, err
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// Remove removes a version, or of "name" all, and returns what it removed. The files stay
// until Collect.
func (c *Catalog) Remove(ref string) ([]string, error) {
	name, version, err := parseRef(ref)
	if err != nil {
		return nil, err
	}
	if _, err := c.Get(ref); err != nil {
		return nil, err
	}
	unlock, err := c.lock(syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer unlock()
	all, err := c.versions(name)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, n := range all {
		if version != 0 && n != version {
			continue
		}
		if err := os.Remove(c.file(name, n)); err != nil { // from here on it is not there
			return removed, err
		}
		removed = append(removed, (&Header{Name: name, Version: n}).Ref())
	}
	return removed, c.sweep(name)
}

// sweep removes the lines of no version, which a removal or an import that was killed
// leaves. The lock is held alone.
func (c *Catalog) sweep(name string) error {
	all, err := c.versions(name)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, n := range all {
		used[filepath.Base(c.file(name, n))] = true
		h, err := c.header(name, n)
		if err != nil {
			return err
		}
		used[filepath.Base(c.lines(h))] = true
	}
	entries, err := os.ReadDir(filepath.Join(c.dir, name))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !used[e.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(c.dir, name, e.Name())))
		}
	}
	_ = os.Remove(filepath.Join(c.dir, name)) // where it is empty
	return err
}

// Collect removes from the store the files of no version of this catalog that are older
// than an age. It waits for imports that are under way: with age 0 nothing is left behind
// that only this home uses. A store that several homes share must not be collected by
// one.
func (c *Catalog) Collect(ctx context.Context, age time.Duration) (blobs.Collected, error) {
	unlock, err := c.lock(syscall.LOCK_EX)
	if err != nil {
		return blobs.Collected{}, err
	}
	defer unlock()
	all, err := c.List()
	if err != nil {
		return blobs.Collected{}, err
	}
	folders, err := os.ReadDir(c.dir)
	if err != nil {
		return blobs.Collected{}, err
	}
	for _, e := range folders {
		if e.IsDir() && validName.MatchString(e.Name()) {
			if err := c.sweep(e.Name()); err != nil {
				return blobs.Collected{}, err
			}
		}
	}
	live := map[blobs.Sum]bool{}
	for _, h := range all {
		err := c.records(h, func(r *record) error {
			live[r.Sum], live[r.Mask] = true, true
			return nil
		})
		if err != nil {
			return blobs.Collected{}, err // what cannot be read may claim anything
		}
	}
	return c.blobs.Collect(ctx, func(s blobs.Sum) bool { return live[s] }, time.Now().Add(time.Second-age))
}

// lock takes the catalog's lock: shared by imports, alone for what removes.
func (c *Catalog) lock(how int) (unlock func(), err error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(c.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // closing gives the lock back
}
