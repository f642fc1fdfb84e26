package open

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"trilobite/dataset"
	"trilobite/dataset/automl"
	"trilobite/dataset/cvat"
	"trilobite/dataset/internal/locate"
	"trilobite/dataset/manifest"
	"trilobite/dataset/vertex"
)

// finder knows the pictures that files of references can mean: below the folder that was
// told, or below the set's, or beside a folder of manifests.
func (p place) finder() (*locate.Finder, error) { return locate.New(p.top(), p.Fetch) }

// top is the folder below which everything of the set lies, but for what is told.
func (p place) top() string {
	switch base := filepath.Base(p.dir); {
	case p.Images != "":
		return p.Images
	case base == "manifests" || base == "annotations":
		return filepath.Dir(p.dir)
	}
	return p.dir
}

// splitFile is a file of one part of a set.
type splitFile struct{ split, path string }

// bySplit returns a file alone as one of no split, and several by the splits that their
// names hold, in the order of the splits; nothing where they hold none or the same.
func bySplit(paths []string) []splitFile {
	if len(paths) == 1 {
		return []splitFile{{"", paths[0]}}
	}
	var out []splitFile
	for _, split := range dataset.Splits() {
		for _, path := range paths {
			if splitIn(dataset.Stem(filepath.Base(path))) == split {
				out = append(out, splitFile{split, path})
			}
		}
	}
	same := func(a, b splitFile) bool { return a.split == b.split }
	if len(out) != len(paths) || len(slices.CompactFunc(slices.Clone(out), same)) != len(out) {
		return nil
	}
	return out
}

// splitIn returns the split that a word of name names: instances_train2017 is of train.
func splitIn(name string) string {
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if split, ok := dataset.SplitOf(word); ok {
			return split
		}
	}
	return ""
}

func (p place) manifests() []splitFile {
	if !p.isDir {
		return []splitFile{{"", p.path}}
	}
	return bySplit(withExt(p.dir, ".manifest"))
}

func isManifest(p place) bool {
	files := p.manifests()
	return len(files) > 0 && hasExt(files[0].path, ".manifest")
}

func readManifest(p place) (*Found, error) {
	parts, files, err := p.parts()
	if err != nil {
		return nil, err
	}
	s, err := manifest.Read(parts, files.Find, size)
	return &Found{Set: s}, err
}

func scanManifest(p place, use func(*dataset.Image) error) (*Found, error) {
	parts, files, err := p.parts()
	if err != nil {
		return nil, err
	}
	s, numbers, err := manifest.Scan(parts, files.Find, size, use)
	return &Found{Set: s, Numbers: numbers}, err
}

// parts returns the manifests of a set, and what finds their pictures.
func (p place) parts() ([]manifest.Part, *locate.Finder, error) {
	var parts []manifest.Part
	for _, f := range p.manifests() {
		parts = append(parts, manifest.Part{Split: f.split, Path: f.path})
	}
	if len(parts) == 0 {
		return nil, nil, fmt.Errorf("%s holds no .manifest, or several that are not named after splits; name one", p.path)
	}
	files, err := p.finder()
	return parts, files, err
}

// files returns the path itself, or the files in the folder that end in ext.
func (p place) files(ext string) []string {
	if !p.isDir {
		return []string{p.path}
	}
	return withExt(p.dir, ext)
}

func isVertex(p place) bool {
	files := p.files(".jsonl")
	return len(files) > 0 && hasExt(files[0], ".jsonl")
}

func readVertex(p place) (*Found, error) {
	paths := p.files(".jsonl")
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no .jsonl", p.path)
	}
	files, err := p.finder()
	if err != nil {
		return nil, err
	}
	s, err := vertex.Read(paths, files.Find, size)
	return &Found{Set: s}, err
}

func (p place) autoML() []string {
	return slices.DeleteFunc(p.files(".csv"), func(path string) bool { return !hasExt(path, ".csv") || !automl.Is(path) })
}

func isAutoML(p place) bool { return len(p.autoML()) > 0 }

func readAutoML(p place) (*Found, error) {
	paths := p.autoML()
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no .csv whose lines begin with TRAIN, VALIDATION, TEST or UNASSIGNED and a picture", p.path)
	}
	files, err := p.finder()
	if err != nil {
		return nil, err
	}
	s, err := automl.Read(paths, files.Find, size)
	return &Found{Set: s}, err
}

// cvat returns CVAT's files: the path itself, or those in the folder where annotations.xml or
// the first .xml is one. Others' XML files lie beside their pictures by the thousand.
func (p place) cvat() []string {
	files := p.files(".xml")
	for i, path := range files {
		if strings.EqualFold(filepath.Base(path), "annotations.xml") {
			files[0], files[i] = files[i], files[0]
		}
	}
	if len(files) == 0 || !hasExt(files[0], ".xml") || !cvat.Is(files[0]) {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(slices.Values(files)), func(path string) bool { return !cvat.Is(path) })
}

func isCVAT(p place) bool { return len(p.cvat()) > 0 }

func readCVAT(p place) (*Found, error) {
	paths := p.cvat()
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s is none of CVAT's XML files, and holds none", p.path)
	}
	files, err := p.finder()
	if err != nil {
		return nil, err
	}
	var parts []cvat.Part
	if split := bySplit(paths); split != nil {
		for _, f := range split {
			parts = append(parts, cvat.Part{Split: f.split, Path: f.path})
		}
	} else {
		for _, path := range paths {
			parts = append(parts, cvat.Part{Path: path})
		}
	}
	s, err := cvat.Read(parts, files.Find)
	return &Found{Set: s}, err
}

// contain drops the pictures that contained refuses.
func (p place) contain(s *dataset.Set) {
	check := p.contained()
	s.Images = slices.DeleteFunc(s.Images, func(img dataset.Image) bool {
		err := check(&img)
		if err != nil {
			s.Dropf(img.File, 0, "%v", err)
		}
		return err != nil
	})
}

// contained returns what refuses a picture whose file or mask is, by a symbolic link, a file
// elsewhere: who hands on a data set must not choose which files of this machine are read.
func (p place) contained() func(img *dataset.Image) error {
	var roots, targets []string
	for _, dir := range []string{p.dir, p.top(), p.Images, p.Labels} {
		if dir == "" {
			continue
		}
		if target, err := filepath.EvalSymlinks(dir); err == nil {
			roots, targets = append(roots, dir), append(targets, target)
		}
	}
	dirs := map[string]string{} // folders without links, by folder
	inside := func(file string) bool {
		below := func(dirs []string, file string) bool {
			return slices.ContainsFunc(dirs, func(dir string) bool {
				rel, err := filepath.Rel(dir, file)
				return err == nil && filepath.IsLocal(rel)
			})
		}
		if !below(roots, file) {
			return true // fetched
		}
		dir := filepath.Dir(file)
		actual, known := dirs[dir]
		if !known {
			actual, _ = filepath.EvalSymlinks(dir) // a folder that is not there is somebody else's error
			dirs[dir] = actual
		}
		actual = filepath.Join(actual, filepath.Base(file))
		if at, err := os.Lstat(actual); err == nil && at.Mode()&fs.ModeSymlink != 0 {
			actual, _ = filepath.EvalSymlinks(actual)
		}
		return below(targets, actual)
	}
	return func(img *dataset.Image) error {
		for _, file := range []string{img.File, img.Mask} {
			if file != "" && !inside(file) {
				return fmt.Errorf("%s is a link out of the data set", file)
			}
		}
		return nil
	}
}
