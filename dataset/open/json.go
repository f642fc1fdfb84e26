package open

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/coco"
	"trilobite/dataset/labelme"
	"trilobite/dataset/labelstudio"
	"trilobite/dataset/via"
)

// annotations returns the JSON files that could be the set's only one: path itself, or
// those in the folder or in annotations/.
func (p place) annotations() []string {
	if !p.isDir {
		return []string{p.path}
	}
	return slices.Concat(withExt(p.dir, ".json"), withExt(filepath.Join(p.dir, "annotations"), ".json"))
}

// isJSON recognises a set with exactly one file that is of a kind.
func isJSON(is func(keys []string, first json.RawMessage) bool) func(place) bool {
	return func(p place) bool {
		_, err := p.json(is)
		return err == nil
	}
}

// json returns the set's one JSON file of a kind.
func (p place) json(is func(keys []string, first json.RawMessage) bool) (string, error) {
	var found []string
	for _, path := range p.annotations() {
		if keys, first := peek(path); hasExt(path, ".json") && is(keys, first) {
			found = append(found, path)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s holds %d such JSON files; name one", p.path, len(found))
	}
	return found[0], nil
}

// peek returns the keys of the object in a JSON file, and its first value, as far as
// they stand in the file's beginning.
func peek(path string) (keys []string, first json.RawMessage) {
	f, err := os.Open(path) //nolint:gosec // the person names any path
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	const enough = 1 << 20
	head, err := io.ReadAll(io.LimitReader(f, enough))
	if err != nil {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(head))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil
	}
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return keys, first
		}
		keys = append(keys, key)
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return keys, first
		}
		if len(keys) == 1 {
			first = value
		}
	}
	return keys, first
}

// isCOCO recognises COCO's lists. One of a gigabyte shows but its first keys.
func isCOCO(keys []string, _ json.RawMessage) bool {
	return slices.Contains(keys, "images") || slices.Contains(keys, "annotations") || slices.Contains(keys, "categories")
}

// isVIA recognises a project, or a map of pictures.
func isVIA(keys []string, first json.RawMessage) bool {
	var p struct {
		Filename *string          `json:"filename"`
		Regions  *json.RawMessage `json:"regions"`
	}
	return slices.Contains(keys, "_via_img_metadata") || json.Unmarshal(first, &p) == nil && p.Filename != nil && p.Regions != nil
}

// cocoFiles returns COCO's files with their splits: one alone, or several that are named
// after splits, such as instances_train2017.json. Beside such, those of captions, key points
// and stuff in COCO's own folder say other things of the same pictures.
func (p place) cocoFiles() []splitFile {
	var found []string
	for _, path := range p.annotations() {
		if keys, first := peek(path); hasExt(path, ".json") && isCOCO(keys, first) {
			found = append(found, path)
		}
	}
	others := func(path string) bool { return !strings.HasPrefix(filepath.Base(path), "instances_") }
	if own := slices.DeleteFunc(slices.Clone(found), others); len(own) > 0 {
		found = own
	}
	return bySplit(found)
}

func isCOCOPlace(p place) bool { return len(p.cocoFiles()) > 0 }

// readCOCO reads COCO's files. The pictures of a part may lie in a folder of their own
// that is called like the end of the file's name: train2017/.
func readCOCO(p place) (*Found, error) {
	files := p.cocoFiles()
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no COCO .json, or several that are not named after splits; name one", p.path)
	}
	var sets []*dataset.Set
	for _, f := range files {
		images := p.images()
		_, end, _ := strings.Cut(dataset.Stem(filepath.Base(f.path)), "_")
		for _, dir := range []string{filepath.Join(images, end), filepath.Join(p.dir, end)} {
			if f.split != "" && end != "" && isDir(dir) {
				images = dir
			}
		}
		s, err := coco.Read(f.path, images)
		if err != nil {
			return nil, err
		}
		for i := range s.Images {
			s.Images[i].Split = f.split
		}
		sets = append(sets, s)
	}
	if len(sets) == 1 {
		return &Found{Set: sets[0]}, nil
	}
	return &Found{Set: dataset.Merge(sets...)}, nil
}

func readVIA(p place) (*Found, error) {
	path, err := p.json(isVIA)
	if err != nil {
		return nil, err
	}
	s, err := via.Read(path, p.images(), size)
	return &Found{Set: s}, err
}

// isLabelme looks at the first few files: a folder may hold other JSON too.
func isLabelme(p place) bool {
	if !p.isDir {
		return false
	}
	const few = 5
	files := slices.Concat(withExt(p.dir, ".json"), withExt(p.images(), ".json"))
	for _, name := range folderNames(p.dir) {
		files = append(files, withExt(filepath.Join(p.dir, name), ".json")...)
	}
	for _, path := range files[:min(few, len(files))] {
		if keys, _ := peek(path); slices.Contains(keys, "shapes") || slices.Contains(keys, "imagePath") {
			return true
		}
	}
	return false
}

func readLabelme(p place) (*Found, error) {
	s, err := labelme.Read(p.path)
	return &Found{Set: s}, err
}

// labelStudio returns the set's one file of tasks.
func (p place) labelStudio() string {
	found := ""
	for _, path := range p.annotations() {
		if !hasExt(path, ".json") || !labelstudio.Is(firstTask(path)) {
			continue
		}
		if found != "" {
			return ""
		}
		found = path
	}
	return found
}

// firstTask returns the first element of the list in a JSON file; nil where it is none.
func firstTask(path string) json.RawMessage {
	f, err := os.Open(path) //nolint:gosec // the person names any path
	if err != nil {
		return nil
	}
	defer f.Close()
	const enough = 64 << 20 // a brush's mask is long
	dec := json.NewDecoder(io.LimitReader(f, enough))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') || !dec.More() {
		return nil
	}
	var first json.RawMessage
	if dec.Decode(&first) != nil {
		return nil
	}
	return first
}

func isLabelStudio(p place) bool { return p.labelStudio() != "" }

func readLabelStudio(p place) (*Found, error) {
	path := p.labelStudio()
	if path == "" {
		return nil, fmt.Errorf("%s holds no list of Label Studio's tasks, or several; name one", p.path)
	}
	files, err := p.finder()
	if err != nil {
		return nil, err
	}
	s, err := labelstudio.Read(path, files.Find)
	return &Found{Set: s}, err
}
