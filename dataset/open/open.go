// Package open reads a labelled set in whatever format it is: it recognises the format by
// the files that are there and calls the reader below package dataset that knows it.
// docs/datasets.md shows every format.
package open

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/folders"
	"trilobite/imageio"
)

// Options say where a set's parts are when they are not where they usually are. The zero
// value looks for everything.
type Options struct {
	Format  string // one of Formats; "" recognises it
	Images  string // folder of the pictures
	Labels  string // folder of YOLO's label files
	Classes string // file with the classes' names, of YOLO and of masks
	// Fetch brings what manifests name by URL and what is not here, and returns the file's
	// path; nil: nothing is fetched.
	Fetch func(url string) (path string, err error)
}

// Found is a set and how it was read.
type Found struct {
	Set    *dataset.Set
	Format string // one of Formats
	Ref    string // "name@version" of an imported set; "" of a path
	// ByIndex says that the set's class numbers are a model's own.
	ByIndex bool
	// Numbers are, of Scan, the classes that numbers in the pictures it showed stand for; nil:
	// themselves.
	Numbers []int
}

// place is where Dataset looks.
type place struct {
	Options
	path  string // as given
	dir   string // path, or the folder that holds it
	isDir bool
}

// images returns the folder of pictures: as told, or images/ in dir, or dir.
func (p place) images() string {
	if p.Images != "" {
		return p.Images
	}
	if dir := filepath.Join(p.dir, "images"); isDir(dir) {
		return dir
	}
	return p.dir
}

// format is one way in which sets are laid out.
type format struct {
	name  string
	looks string // what is looked for, for people
	// is reports whether the format's files are there.
	is   func(p place) bool
	read func(p place) (*Found, error)
}

// lineByLine is the format that Scan reads without keeping it.
const lineByLine = "groundtruth"

// formats lists what is recognised, the telltale ones first.
func formats() []format {
	return []format{
		{"automl", "AutoML Vision's .csv, without a heading, or such files in the folder", isAutoML, readAutoML},
		{"csv", "a .csv with a heading, or labels.csv in the folder", isCSV, readCSV},
		{lineByLine, "a Ground Truth .manifest, or such files in the folder", isManifest, readManifest},
		{"vertex", "Vertex AI's .jsonl, or such files in the folder", isVertex, readVertex},
		{"yolo", "labels/ beside images/ and a YAML file with the classes' names, or darknet's .data, or one in the folder", isYOLO, readYOLO},
		{"masks", "images/ beside masks/, also below train/ and val/", isMasks, readMasks},
		{"labelstudio", "a Label Studio .json, or one in the folder", isLabelStudio, readLabelStudio},
		{"cvat", "a CVAT .xml, or such files in the folder", isCVAT, readCVAT},
		{"voc", "Annotations/ with XML beside JPEGImages/, or XML files beside their pictures", isVOC, readVOC},
		{"coco", "a COCO .json, or one in the folder or in annotations/, or one for each split", isCOCOPlace, readCOCO},
		{"via", "a VIA .json, or one in the folder", isJSON(isVIA), readVIA},
		{"labelme", "labelme's .json files", isLabelme, readLabelme},
		{"folders", "a folder of pictures for each class, also below train/ and val/ or test/", isFolders, readFolders},
	}
}

// Formats returns the names of the formats.
func Formats() []string {
	var out []string
	for _, f := range formats() {
		out = append(out, f.name)
	}
	return out
}

// Dataset reads the set at path, a folder or a file of annotations. Where it recognises
// no format, the error says what was looked for.
func Dataset(path string, o Options) (*Found, error) {
	p, f, err := recognise(path, o)
	if err != nil {
		return nil, err
	}
	found, err := f.read(p)
	if err != nil {
		return nil, fmt.Errorf("reading %s as %s: %w", path, f.name, err)
	}
	found.Format = f.name
	p.contain(found.Set)
	if len(found.Set.Images) == 0 {
		return nil, fmt.Errorf("reading %s as %s: no picture can be used: %s", path, found.Format, found.Set.Dropped[0])
	}
	return found, nil
}

// Scan is Dataset for who looks at each picture but once: use sees them, and the set has
// none. Memory does not grow with a Ground Truth manifest; other formats are read whole first.
func Scan(path string, o Options, use func(*dataset.Image)) (*Found, error) {
	p, f, err := recognise(path, o)
	if err != nil {
		return nil, err
	}
	if f.name != lineByLine {
		o.Format = f.name
		found, err := Dataset(path, o)
		if err != nil {
			return nil, err
		}
		for i := range found.Set.Images {
			use(&found.Set.Images[i])
		}
		found.Set.Images = nil
		return found, nil
	}
	check := p.contained()
	found, err := scanManifest(p, func(img *dataset.Image) error {
		err := check(img)
		if err == nil {
			use(img)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s as %s: %w", path, f.name, err)
	}
	found.Format = f.name
	return found, nil
}

// recognise finds the format of the set at path.
func recognise(path string, o Options) (place, format, error) {
	at, err := os.Stat(path) //nolint:gosec // the person names any path; what a set names stays below it
	if err != nil {
		return place{}, format{}, err
	}
	p := place{Options: o, path: path, dir: path, isDir: at.IsDir()}
	if !p.isDir {
		p.dir = filepath.Dir(path)
	}
	all := formats()
	i := slices.IndexFunc(all, func(f format) bool { return f.name == o.Format || o.Format == "" && f.is(p) })
	switch {
	case i >= 0:
		return p, all[i], nil
	case o.Format != "":
		return p, format{}, fmt.Errorf("format %q is none of %s", o.Format, strings.Join(Formats(), ", "))
	}
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "\n  %-12s %s", f.name, f.looks)
	}
	return p, format{}, fmt.Errorf("%s is no data set of a format that is recognised; looked for%s", path, b.String())
}

// size returns an image's upright size from its header.
func size(path string) (w, h int, err error) {
	header, err := imageio.ProbeFile(path)
	return header.W, header.H, err
}

func isFolders(p place) bool {
	if !p.isDir {
		return false
	}
	s, err := folders.Read(p.path)
	return err == nil && len(s.Images) > 0
}

func readFolders(p place) (*Found, error) {
	s, err := folders.Read(p.path)
	return &Found{Set: s}, err
}

func isDir(path string) bool {
	info, err := os.Stat(path) //nolint:gosec // the person names any path
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// withExt returns the files directly in dir that end in ext, sorted.
func withExt(dir, ext string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && !dataset.IsHidden(e.Name()) && strings.EqualFold(filepath.Ext(e.Name()), ext) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}

func hasExt(path, ext string) bool { return strings.EqualFold(filepath.Ext(path), ext) }
