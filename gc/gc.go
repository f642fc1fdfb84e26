// Package gc finds what a home holds and nobody needs any more: images and folders of
// trainings that are over, models without a version, runs and uploads that are older than
// they are to be kept, and what programs that died left half-written.
//
// Find looks, Remove removes; nothing is removed that a training under way may use. What
// belongs to records is found by them: read the models' folder first and the records
// after that, so that a model which comes meanwhile is not taken for one without a
// version. Start at Find.
package gc

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"trilobite/objects"
	"trilobite/runs"
)

// Kind says what an item is.
type Kind string

// What there is to remove.
const (
	Image    Kind = "image"    // of a training, fetched again when it is needed
	Training Kind = "training" // the folder of one that is over
	Model    Kind = "model"    // without a version
	Run      Kind = "run"      // of trilobite train, older than it is kept
	Upload   Kind = "upload"   // of S3, begun and never completed
	Leftover Kind = "leftover" // of a program that died
)

// settled is how old what looks left over must be: its writer may still be at it.
const settled = 24 * time.Hour

// Item is something that can go.
type Item struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"` // below the home, or of an upload ACCOUNT/BUCKET/ID
	Bytes int64  `json:"bytes"`

	upload objects.Stale
}

// Keep says for how long things stay; 0: forever.
type Keep struct {
	Images, Runs, Uploads time.Duration
}

// Kept is what records need.
type Kept struct {
	Models    []string            // NAME@VERSION
	Trainings map[int64]time.Time // versions in training, and when they began
}

// Home is what is looked through.
type Home struct {
	Dir     string
	Hosted  *objects.Hosted // nil: no buckets of clients
	Records func(context.Context) (Kept, error)
	Keep    Keep
	Now     time.Time
}

// Find lists what can go. It changes nothing.
func Find(ctx context.Context, h Home) ([]Item, error) {
	models, err := h.models()
	if err != nil {
		return nil, err
	}
	kept, err := h.Records(ctx)
	if err != nil {
		return nil, err
	}
	var all []Item
	for _, m := range models {
		if !kept.needs(m.ref, m.name) {
			all = append(all, m.Item)
		}
	}
	for _, find := range []func(Kept) ([]Item, error){h.trainings, h.images, h.runs, h.leftovers} {
		some, err := find(kept)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	uploads, err := h.uploads(ctx)
	return append(all, uploads...), err
}

// Remove removes what Find found.
func Remove(ctx context.Context, h Home, items []Item) error {
	for _, i := range items {
		var err error
		if i.Kind == Upload {
			err = h.Hosted.AbortStale(ctx, i.upload)
		} else {
			err = os.RemoveAll(filepath.Join(h.Dir, filepath.FromSlash(i.Name)))
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// custom is the folder of custom models, as package jobs and learn fill it.
const custom = "custom"

type modelItem struct {
	Item

	name, ref string
}

// models lists the custom models that are installed, each version.
func (h Home) models() ([]modelItem, error) {
	var all []modelItem
	names, err := list(h.Dir, custom, "models")
	for _, n := range names {
		versions, err := list(h.Dir, custom, "models", n.Name())
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			if _, err := strconv.Atoi(v.Name()); err != nil {
				continue // being installed
			}
			item := h.item(Model, custom, "models", n.Name(), v.Name())
			all = append(all, modelItem{item, n.Name(), n.Name() + "@" + v.Name()})
		}
	}
	return all, err
}

// needs reports whether a version has the model, or may soon: trainings name theirs custom-ID.
func (k Kept) needs(ref, name string) bool {
	if slices.Contains(k.Models, ref) {
		return true
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(name, "custom-"), 10, 64)
	_, training := k.Trainings[id]
	return err != nil || training
}

// trainings lists folders of trainings that are over.
func (h Home) trainings(k Kept) ([]Item, error) {
	var all []Item
	dirs, err := list(h.Dir, custom, "trainings")
	for _, d := range dirs {
		id, err := strconv.ParseInt(d.Name(), 10, 64)
		if _, training := k.Trainings[id]; err == nil && !training {
			all = append(all, h.item(Training, custom, "trainings", d.Name()))
		}
	}
	return all, err
}

// images lists images that no training has used for long. One under way marks each when
// it takes it, so what it uses is not older than it.
func (h Home) images(k Kept) ([]Item, error) {
	if h.Keep.Images == 0 {
		return nil, nil
	}
	before := h.Now.Add(-h.Keep.Images)
	for _, began := range k.Trainings {
		if began.Before(before) {
			before = began
		}
	}
	var all []Item
	dirs, err := list(h.Dir, custom, "images")
	for _, d := range dirs {
		files, err := list(h.Dir, custom, "images", d.Name())
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if info, err := f.Info(); err == nil && !half(f.Name()) && info.ModTime().Before(before) {
				all = append(all, h.item(Image, custom, "images", d.Name(), f.Name()))
			}
		}
	}
	return all, err
}

// half reports whether a file or folder is being written, as packages atomicfile and zoo name it.
func half(name string) bool { return strings.HasPrefix(name, ".") }

func (h Home) runs(Kept) ([]Item, error) {
	if h.Keep.Runs == 0 {
		return nil, nil
	}
	list, err := runs.NewStore(h.Dir).List()
	if err != nil && len(list) == 0 {
		return nil, err
	}
	var all []Item
	for _, r := range list {
		if r.State != runs.Running && r.Started.Before(h.Now.Add(-h.Keep.Runs)) {
			all = append(all, h.item(Run, "runs", r.ID))
		}
	}
	return all, nil
}

// leftovers lists what was being written when a program died.
func (h Home) leftovers(Kept) ([]Item, error) {
	var all []Item
	err := filepath.WalkDir(h.Dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		rel, err := filepath.Rel(h.Dir, path)
		if err != nil {
			return err
		}
		if rel == "packages" && d.IsDir() {
			return fs.SkipDir
		}
		parts := strings.Split(filepath.ToSlash(rel), "/")
		left := len(parts) == 1 && strings.HasPrefix(rel, ".backup-") ||
			parts[0] == custom && half(parts[len(parts)-1]) ||
			parts[0] == "s3" && !d.IsDir() && objects.Temporary(path)
		if info, err := d.Info(); !left || err != nil || info.ModTime().After(h.Now.Add(-settled)) {
			return nil //nolint:nilerr // what has gone meanwhile is not left over
		}
		all = append(all, h.item(Leftover, parts...))
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return all, err
}

// uploads lists uploads that were begun long ago.
func (h Home) uploads(ctx context.Context) ([]Item, error) {
	if h.Keep.Uploads == 0 || h.Hosted == nil {
		return nil, nil
	}
	stale, err := h.Hosted.StaleUploads(ctx, h.Now.Add(-h.Keep.Uploads))
	var all []Item
	for _, u := range stale {
		all = append(all, Item{Kind: Upload, Name: u.Account + "/" + u.Bucket + "/" + u.ID, Bytes: u.Bytes, upload: u})
	}
	return all, err
}

// list returns what a folder holds, nothing where there is none.
func list(parts ...string) ([]fs.DirEntry, error) {
	all, err := os.ReadDir(filepath.Join(parts...))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// item measures a file or folder below the home.
func (h Home) item(k Kind, parts ...string) Item {
	i := Item{Kind: k, Name: strings.Join(parts, "/")}
	_ = filepath.WalkDir(filepath.Join(h.Dir, filepath.Join(parts...)), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				i.Bytes += info.Size()
			}
		}
		return nil // what cannot be measured counts 0
	})
	return i
}
