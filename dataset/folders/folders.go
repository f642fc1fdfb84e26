// Package folders reads data sets for classification that are nothing but folders: one
// for each class with its pictures, or train/, val/ and test/ with those inside.
package folders

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
)

// Read returns the set below root. Classes are the names of the folders in alphabetical
// order, together for all splits; pictures come by split, class and path, and those
// deeper in a class's folder count as its own. A class without a picture stays a class;
// dataset.Set.CheckClassification refuses to train on it.
//
// What is no picture by its name, has no bytes, lies outside the classes' folders, or is
// a link out of root or to a folder is dropped. Hidden files are not spoken of.
func Read(root string) (*dataset.Set, error) {
	target, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	r := &reader{set: &dataset.Set{Ignore: dataset.NoIgnore}, root: root, target: target}
	tops, err := r.folders(root, false)
	if err != nil {
		return nil, err
	}
	splits, err := r.splits(tops)
	if err != nil {
		return nil, err
	}
	if splits == nil {
		err = r.classes("", root, tops)
	}
	for _, s := range splits {
		var classes []string
		dir := filepath.Join(root, s.folder)
		if classes, err = r.folders(dir, true); err == nil {
			err = r.classes(s.split, dir, classes)
		}
		if err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	if len(r.set.Images) == 0 {
		return nil, fmt.Errorf("%s holds no pictures in folders: it takes one folder for each class, or train/ and val/ or test/ with those inside%s", root, r.first())
	}
	r.number()
	return r.set, nil
}

type reader struct {
	set          *dataset.Set
	root, target string
	names        []string // by image, its class
	seen         []string // classes, also those without pictures
}

func (r *reader) first() string {
	if len(r.set.Dropped) == 0 {
		return ""
	}
	return "; " + r.set.Dropped[0].String()
}

// folders returns the folders directly in dir. Pictures beside them have no class, and
// are dropped; other files there, a licence or a list, are no samples.
func (r *reader) folders(dir string, inSplit bool) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case dataset.IsHidden(e.Name()):
		case e.IsDir():
			out = append(out, e.Name())
		case e.Type()&fs.ModeSymlink != 0 && isDir(path):
			r.set.Dropf(path, 0, "a link to a folder, which is not followed")
		case dataset.IsImageName(path) && inSplit:
			r.set.Dropf(path, 0, "lies outside the classes' folders")
		case dataset.IsImageName(path):
			r.set.Dropf(path, 0, "lies outside the folders")
		}
	}
	return out, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

type splitFolder struct{ split, folder string }

// splits returns the folders named after a split where they hold folders of classes; nil
// where tops are the classes. A folder beside splits that is none is dropped.
func (r *reader) splits(tops []string) ([]splitFolder, error) {
	var out []splitFolder
	var others []string
	for _, name := range tops {
		split, ok := dataset.SplitOf(name)
		if !ok {
			others = append(others, name)
			continue
		}
		inside, err := r.hasFolders(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		if !inside {
			return nil, nil // a class that happens to be called so
		}
		if i := slices.IndexFunc(out, func(s splitFolder) bool { return s.split == split }); i >= 0 {
			return nil, fmt.Errorf("%s holds both %s/ and %s/: which is the %s part?", r.root, out[i].folder, name, split)
		}
		out = append(out, splitFolder{split, name})
	}
	if len(out) == 0 {
		return nil, nil
	}
	for _, name := range others {
		r.set.Dropf(filepath.Join(r.root, name), 0, "a folder beside %s/ that is neither train/, val/ nor test/", out[0].folder)
	}
	slices.SortFunc(out, func(a, b splitFolder) int {
		return slices.Index(dataset.Splits(), a.split) - slices.Index(dataset.Splits(), b.split)
	})
	return out, nil
}

func (r *reader) hasFolders(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() && !dataset.IsHidden(e.Name()) }), err
}

// classes reads the pictures of the named folders in dir.
func (r *reader) classes(split, dir string, names []string) error {
	for _, class := range names {
		r.seen = append(r.seen, class)
		err := filepath.WalkDir(filepath.Join(dir, class), func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil && e != nil && e.IsDir():
				r.set.Dropf(path, 0, "%v", err)
				return filepath.SkipDir
			case err != nil:
				return err
			case dataset.IsHidden(e.Name()) && e.IsDir():
				return filepath.SkipDir
			case e.IsDir() || dataset.IsHidden(e.Name()):
				return nil
			}
			if why := r.unusable(path, e); why != "" {
				r.set.Dropf(path, 0, "%s", why)
				return nil
			}
			r.set.Images = append(r.set.Images, dataset.Image{File: path, Split: split})
			r.names = append(r.names, class)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unusable says why a file cannot be a sample; "" where it can.
func (r *reader) unusable(path string, e fs.DirEntry) string {
	if e.Type()&fs.ModeSymlink != 0 {
		to, err := filepath.EvalSymlinks(path)
		if err != nil {
			return "a link to nothing"
		}
		if rel, err := filepath.Rel(r.target, to); err != nil || !filepath.IsLocal(rel) {
			return "a link out of the data set"
		}
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err.Error()
	case info.IsDir():
		return "a link to a folder, which is not followed"
	case !info.Mode().IsRegular():
		return "no regular file"
	case !dataset.IsImageName(path):
		return fmt.Sprintf("no picture by its name, which ends in %q", strings.ToLower(filepath.Ext(path)))
	case info.Size() == 0:
		return "the file is empty"
	}
	return ""
}

// number gives each picture the place of its class among all.
func (r *reader) number() {
	slices.Sort(r.seen)
	r.set.Classes = slices.Compact(r.seen)
	for i, name := range r.names {
		class, _ := slices.BinarySearch(r.set.Classes, name)
		r.set.Images[i].Classes = []int{class}
	}
}
