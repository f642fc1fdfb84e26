package open

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/automl"
	"trilobite/dataset/csvlabels"
	"trilobite/dataset/masks"
	"trilobite/dataset/voc"
	"trilobite/dataset/yolo"
)

func isCSV(p place) bool {
	if p.isDir {
		return p.Labels == "" && exists(filepath.Join(p.dir, "labels.csv"))
	}
	return hasExt(p.path, ".csv") && !automl.Is(p.path)
}

// readCSV reads a list with a column file and a class, by name or by number.
func readCSV(p place) (*Found, error) {
	path := p.path
	if p.isDir {
		path = filepath.Join(p.dir, "labels.csv")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	heading, err := csv.NewReader(bufio.NewReader(f)).Read()
	if err != nil {
		return nil, fmt.Errorf("the heading of %s: %w", path, err)
	}
	pick := func(names ...string) string {
		for _, n := range names {
			if slices.Contains(heading, n) {
				return n
			}
		}
		return ""
	}
	c := csvlabels.Columns{
		File: pick("file", "image", "filename"), Name: pick("name", "label", "class"),
		Index: pick("index", "imagenet_index", "class_index"), Split: pick("split", "set"),
	}
	if c.Box = [4]string{pick("xmin", "left"), pick("ymin", "top"), pick("xmax", "right"), pick("ymax", "bottom")}; slices.Contains(c.Box[:], "") {
		c.Box = [4]string{}
	}
	if c.File == "" || c.Name == "" && c.Index == "" {
		return nil, fmt.Errorf("%s has columns %s; it needs file and either name or index", path, strings.Join(heading, ", "))
	}
	s, err := csvlabels.Read(path, p.images(), c)
	return &Found{Set: s, ByIndex: c.Index != ""}, err
}

// yoloParts returns the folders of pictures and labels: in dir, as splits inside of both,
// or below splits.
func (p place) yoloParts() []yolo.Part {
	labels := filepath.Join(p.dir, "labels")
	if p.Labels != "" {
		labels = p.Labels
	}
	images := filepath.Join(p.dir, "images")
	if p.Images != "" {
		images = p.Images
	}
	var out []yolo.Part
	for _, split := range folderNames(images) {
		if s, ok := dataset.SplitOf(split); ok && isDir(filepath.Join(labels, split)) {
			out = append(out, yolo.Part{Split: s, Images: filepath.Join(images, split), Labels: filepath.Join(labels, split)})
		}
	}
	if len(out) == 0 && isDir(labels) && isDir(images) {
		return []yolo.Part{{Images: images, Labels: labels}}
	}
	for _, split := range folderNames(p.dir) {
		below := filepath.Join(p.dir, split)
		if s, ok := dataset.SplitOf(split); ok && isDir(filepath.Join(below, "labels")) && isDir(filepath.Join(below, "images")) {
			out = append(out, yolo.Part{Split: s, Images: filepath.Join(below, "images"), Labels: filepath.Join(below, "labels")})
		}
	}
	slices.SortStableFunc(out, func(a, b yolo.Part) int {
		return slices.Index(dataset.Splits(), a.Split) - slices.Index(dataset.Splits(), b.Split)
	})
	return out
}

func folderNames(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && !dataset.IsHidden(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out
}

// darknet returns the set's one .data file: the path itself, or the one in the folder.
func (p place) darknet() string {
	if files := p.files(".data"); len(files) == 1 && hasExt(files[0], ".data") {
		return files[0]
	}
	return ""
}

func isYOLO(p place) bool {
	return p.darknet() != "" || (p.isDir || hasExt(p.path, ".yaml") || hasExt(p.path, ".yml")) && len(p.yoloParts()) > 0
}

func readYOLO(p place) (*Found, error) {
	if data := p.darknet(); data != "" {
		files, err := p.finder()
		if err != nil {
			return nil, err
		}
		s, err := yolo.ReadDarknet(data, files.Find, size)
		return &Found{Set: s}, err
	}
	classes := p.Classes
	if classes == "" && !p.isDir {
		classes = p.path
	}
	if classes == "" {
		found := slices.Concat(withExt(p.dir, ".yaml"), withExt(p.dir, ".yml"))
		if len(found) != 1 {
			return nil, fmt.Errorf("%s holds %d YAML files; name the one with the classes with --classes", p.dir, len(found))
		}
		classes = found[0]
	}
	parts := p.yoloParts()
	if len(parts) == 0 {
		return nil, fmt.Errorf("%s holds no images/ beside labels/", p.dir)
	}
	s, err := yolo.Read(classes, parts, size)
	return &Found{Set: s}, err
}

func isMasks(p place) bool {
	parts, err := masks.Find(p.path)
	return p.isDir && (err != nil || len(parts) > 0)
}

func readMasks(p place) (*Found, error) {
	s, err := masks.Read(p.path, p.Classes)
	return &Found{Set: s}, err
}

// vocLayout returns the folders of a VOC set; false where there are none.
func (p place) vocLayout() (voc.Layout, bool) {
	l := voc.Layout{Sets: filepath.Join(p.dir, "ImageSets", "Main")}
	for _, name := range []string{"Annotations", "annotations", "."} {
		dir := filepath.Join(p.dir, name)
		if len(withExt(dir, ".xml")) == 0 {
			continue
		}
		l.Annotations = dir
		for _, images := range []string{p.Images, filepath.Join(p.dir, "JPEGImages"), filepath.Join(p.dir, "images"), dir} {
			if images != "" && isDir(images) {
				l.Images = images
				return l, true
			}
		}
	}
	return l, false
}

func isVOC(p place) bool {
	_, ok := p.vocLayout()
	return p.isDir && ok
}

func readVOC(p place) (*Found, error) {
	l, ok := p.vocLayout()
	if !ok {
		return nil, fmt.Errorf("%s holds no XML files, in Annotations/ or beside pictures", p.dir)
	}
	s, err := voc.Read(l)
	return &Found{Set: s}, err
}
