package catalog

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite/blobs"
	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/imageio"
)

// Imported is what Import did.
type Imported struct {
	*Header
	Unchanged bool              `json:"unchanged"` // the newest version is the same, and stays the newest
	NewFiles  int               `json:"new_files"`
	NewBytes  int64             `json:"new_bytes"`
	Dropped   []dataset.Dropped `json:"-"`
}

// Options of Import.
type Options struct {
	Source string // what the version's header names
	Root   string // folder from which pictures are named; "": their own names
	Step   func() // after each picture; may be nil
}

// Import stores a set as a new version of name: its files in the blob store, and its
// labels beside the versions that are there. Pictures that cannot be read are left out.
func (c *Catalog) Import(ctx context.Context, name string, found *open.Found, o Options) (*Imported, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	unlock, err := c.lock(syscall.LOCK_SH)
	if err != nil {
		return nil, err
	}
	defer unlock()
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	defer os.Remove(dir) // where it stayed empty
	tmp, err := os.CreateTemp(dir, ".import-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	set := found.Set
	w := &importer{store: c.blobs, set: set, Options: o, digest: sha256.New(), names: map[string]bool{}, added: map[blobs.Sum]bool{}, Imported: &Imported{Header: &Header{
		Name: name, Created: time.Now().UTC(), Source: o.Source, Format: found.Format, Classes: set.Classes, ByIndex: found.ByIndex, Ignore: set.Ignore, Splits: map[string]int{},
	}, Dropped: set.Dropped}}
	w.tables()
	out := bufio.NewWriter(tmp)
	err = w.lines(ctx, io.MultiWriter(out, w.digest))
	if err := errors.Join(err, out.Flush(), tmp.Sync(), tmp.Close()); err != nil {
		return nil, err
	}
	if w.Images == 0 {
		return nil, fmt.Errorf("no picture of the set can be read%s", first(w.Dropped))
	}
	if err := json.NewEncoder(w.digest).Encode([]any{w.Classes, w.Ignore, w.Colors, w.Values, w.ByIndex}); err != nil {
		return nil, err
	}
	w.Digest = "sha256:" + hex.EncodeToString(w.digest.Sum(nil))
	w.Header.Dropped = len(w.Dropped)
	return w.Imported, c.publish(w.Imported, tmp.Name())
}

func first(dropped []dataset.Dropped) string {
	if len(dropped) == 0 {
		return ""
	}
	return ": " + dropped[0].String()
}

// publish makes the lines in a file the next version, unless the newest is the same.
func (c *Catalog) publish(i *Imported, lines string) error {
	tmp := lines + ".json"
	defer os.Remove(tmp)
	for renamed := false; ; {
		all, err := c.versions(i.Name)
		if err != nil {
			return err
		}
		i.Version = 1
		if len(all) > 0 {
			newest, err := c.header(i.Name, all[len(all)-1])
			if err != nil {
				return err
			}
			if newest.Digest == i.Digest {
				i.Header, i.Unchanged = newest, true
				return nil
			}
			i.Version = newest.Version + 1
		}
		if !renamed {
			if err := os.Rename(lines, c.lines(i.Header)); err != nil {
				return err
			}
			renamed = true
		}
		data, err := json.MarshalIndent(i.Header, "", "  ")
		if err == nil {
			err = os.WriteFile(tmp, append(data, '\n'), 0o644)
		}
		if err == nil {
			err = os.Link(tmp, c.file(i.Name, i.Version)) // fails where another import was quicker
		}
		if !errors.Is(err, os.ErrExist) {
			return err
		}
	}
}

type importer struct {
	*Imported
	Options
	store  *blobs.Store
	set    *dataset.Set
	digest hash.Hash
	names  map[string]bool
	added  map[blobs.Sum]bool // what is new; two equal pictures added at once both say so
}

// tables writes what masks' pixels mean into the header.
func (w *importer) tables() {
	if w.set.Colors != nil {
		w.Colors = map[string]int{}
		for c, class := range w.set.Colors {
			w.Colors[fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2])] = class
		}
	}
	if w.set.Values != nil {
		w.Values = map[string]int{}
		for v, class := range w.set.Values {
			w.Values[strconv.Itoa(v)] = class
		}
	}
}

// batch is how many pictures are stored side by side before their lines are written.
const batch = 64

// lines stores the files of all pictures and writes their lines.
func (w *importer) lines(ctx context.Context, out io.Writer) error {
	type stored struct {
		picture, mask blobs.Added
		err           error
	}
	for from := 0; from < len(w.set.Images); from += batch {
		images := w.set.Images[from:min(from+batch, len(w.set.Images))]
		files := make([]stored, len(images))
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(8)
		for i := range images {
			g.Go(func() error {
				f := &files[i]
				if f.picture, f.err = w.add(gctx, images[i].File); f.err == nil && images[i].Mask != "" {
					f.mask, f.err = w.add(gctx, images[i].Mask)
				}
				return gctx.Err()
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for i := range images {
			if w.Step != nil {
				w.Step()
			}
			f, img := files[i], &images[i]
			if unusable, ok := errors.AsType[*unusableError](f.err); ok {
				w.Dropped = append(w.Dropped, dataset.Dropped{File: unusable.file, Reason: unusable.Error()})
				continue
			} else if f.err != nil {
				return f.err
			}
			data, err := json.Marshal(newRecord(w.set.Classes, img, w.name(img), f.picture.Sum, f.mask.Sum))
			if err != nil {
				return err
			}
			if _, err := out.Write(append(data, '\n')); err != nil {
				return err
			}
			w.count(img, f.picture, f.mask)
		}
	}
	return nil
}

// unusableError is of a picture, not of the store.
type unusableError struct {
	file string
	err  error
}

func (e *unusableError) Error() string { return e.err.Error() }

// add stores a picture, if it is one.
func (w *importer) add(ctx context.Context, file string) (blobs.Added, error) {
	if _, err := imageio.ProbeFile(file); err != nil {
		return blobs.Added{}, &unusableError{file, err}
	}
	return w.store.Add(ctx, file, int64(imageio.DefaultLimits().Bytes))
}

// name returns what a picture is called in the set: its path from the root, once.
func (w *importer) name(img *dataset.Image) string {
	name := img.Title()
	if rel, err := filepath.Rel(w.Root, img.File); img.Name == "" && w.Root != "" && err == nil && filepath.IsLocal(rel) {
		name = filepath.ToSlash(rel)
	}
	own := name
	for n := 2; w.names[name]; n++ {
		ext := filepath.Ext(own)
		name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(own, ext), n, ext)
	}
	w.names[name] = true
	return name
}

func (w *importer) count(img *dataset.Image, files ...blobs.Added) {
	w.Images++
	w.Objects += len(img.Objects)
	if img.Mask != "" {
		w.Masks++
	}
	if img.Split != "" {
		w.Splits[img.Split]++
	}
	for _, f := range files {
		w.Bytes += f.Size
		if f.New && !w.added[f.Sum] {
			w.added[f.Sum] = true
			w.NewFiles, w.NewBytes = w.NewFiles+1, w.NewBytes+f.Size
		}
	}
}
