// Package locate finds the pictures that annotations name by URL or by a path of another
// machine among the files of a folder.
package locate

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"trilobite/dataset"
)

// Fetch brings the picture at a URL and returns the file's path.
type Fetch func(url string) (path string, err error)

// Finder knows the pictures below a folder by their names. It is made for many: each is the
// hash of its name and the number of its folder.
type Finder struct {
	dir     string
	folders []string           // from dir, slashed
	byName  map[uint64]int32   // folder of each name
	more    map[uint64][]int32 // other folders of a name that is in several
	seed    maphash.Seed
	fetch   Fetch
}

// New lists the pictures below dir. fetch is asked for a URL whose picture is not among
// them; nil: nothing is fetched. Hidden folders and links are passed over.
func New(dir string, fetch Fetch) (*Finder, error) {
	f := &Finder{dir: dir, byName: map[uint64]int32{}, more: map[uint64][]int32{}, seed: maphash.MakeSeed(), fetch: fetch}
	return f, f.walk(".")
}

// walk lists a folder and those in it, some names at a time.
func (f *Finder) walk(folder string) error {
	in, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(folder)))
	if err != nil {
		return err
	}
	defer in.Close()
	at := int32(len(f.folders))
	f.folders = append(f.folders, folder)
	var below []string
	for {
		const some = 1024
		entries, err := in.ReadDir(some)
		for _, e := range entries {
			switch {
			case e.IsDir() && !dataset.IsHidden(e.Name()):
				below = append(below, e.Name())
			case e.Type().IsRegular() && dataset.IsImageName(e.Name()):
				f.add(at, e.Name())
			}
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	slices.Sort(below)
	for _, name := range below {
		if err := f.walk(path.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// add notes a picture of a folder.
func (f *Finder) add(folder int32, name string) {
	sum := maphash.String(f.seed, name)
	if _, taken := f.byName[sum]; taken {
		f.more[sum] = append(f.more[sum], folder)
		return
	}
	f.byName[sum] = folder
}

// called returns the paths of pictures of a name.
func (f *Finder) called(name string) []string {
	sum := maphash.String(f.seed, name)
	at, ok := f.byName[sum]
	if !ok {
		return nil
	}
	paths := []string{path.Join(f.folders[at], name)}
	for _, at := range f.more[sum] {
		paths = append(paths, path.Join(f.folders[at], name))
	}
	return paths
}

// uploaded is the name that Label Studio gives an uploaded file.
var uploaded = regexp.MustCompile(`^[0-9a-f]{8}-(.+)$`)

// Find returns the picture that ref names: the one at that path from the folder, or else
// the one whose path ends most like it.
func (f *Finder) Find(ref string) (string, error) {
	found, err := f.find(key(ref))
	if found == "" && err == nil {
		if m := uploaded.FindStringSubmatch(path.Base(key(ref))); m != nil {
			found, err = f.find(m[1])
		}
	}
	switch {
	case err != nil:
		return "", err
	case found != "":
		return filepath.Join(f.dir, filepath.FromSlash(found)), nil
	case f.fetch != nil && strings.Contains(ref, "://"):
		return f.fetch(ref)
	case strings.Contains(ref, "://"):
		return "", fmt.Errorf("there is no picture %.200s below %s, and nothing is fetched unless it is asked for", ref, f.dir)
	}
	return "", fmt.Errorf("there is no picture %.200s below %s", ref, f.dir)
}

// key returns the path that a reference ends in.
func key(ref string) string {
	if scheme, rest, ok := strings.Cut(ref, "://"); ok {
		_, ref, _ = strings.Cut(rest, "/")
		if strings.HasPrefix(scheme, "http") { // keys of buckets are not escaped
			ref, _, _ = strings.Cut(ref, "?")
			if plain, err := url.PathUnescape(ref); err == nil {
				ref = plain
			}
		}
	}
	if _, d, ok := strings.Cut(ref, "/data/local-files/?d="); ok { // Label Studio's local storage
		ref = d
		if plain, err := url.QueryUnescape(d); err == nil {
			ref = plain
		}
	}
	return path.Clean(strings.ReplaceAll(ref, `\`, "/"))
}

func (f *Finder) find(key string) (string, error) {
	candidates := f.called(path.Base(key))
	if slices.Contains(candidates, key) {
		return key, nil
	}
	parts := strings.Split(key, "/")
	best, most, tie := "", 0, false
	for _, c := range candidates {
		n := alike(parts, strings.Split(c, "/"))
		if n >= most {
			best, most, tie = c, n, n == most
		}
	}
	if tie {
		return "", fmt.Errorf("%.200s may be several pictures below %s, among them %s", key, f.dir, best)
	}
	return best, nil
}

// alike returns how many parts at the end of two paths are equal.
func alike(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
