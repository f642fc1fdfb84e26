package yolo

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"trilobite/dataset"
)

// Limits of darknet's files.
const (
	maxList = 256 << 20
	maxData = 1 << 20
)

// Find returns the file that a picture's path in a list stands for.
type Find func(name string) (path string, err error)

// ReadDarknet returns the set of a darknet .data file (github.com/AlexeyAB/darknet, "How to
// train"; CVAT's "YOLO 1.1"): lines "train = train.txt", "valid = valid.txt" and "names =
// obj.names". The lists have a picture a line, the names a class; label files lie beside
// the pictures, or in labels/ beside images/. Paths are of where the trainer was run: a list is
// also looked for beside the .data file. A picture that is not here is dropped.
func ReadDarknet(data string, find Find, size SizeFunc) (*dataset.Set, error) {
	values, err := readData(data)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", data, err)
	}
	s := &dataset.Set{Ignore: dataset.NoIgnore}
	names, err := beside(data, values["names"])
	if err != nil {
		return nil, fmt.Errorf("names of %s: %w", data, err)
	}
	err = eachLine(names, maxData, func(_ int, name string) error {
		s.Classes = append(s.Classes, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", names, err)
	}
	if len(s.Classes) == 0 || len(s.Classes) > maxClasses {
		return nil, fmt.Errorf("%s has %d names", names, len(s.Classes))
	}
	listed := map[string]bool{}
	for _, key := range []string{"train", "valid", "val", "test"} {
		if values[key] == "" {
			continue
		}
		list, err := beside(data, values[key])
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", key, data, err)
		}
		split, _ := dataset.SplitOf(key)
		err = eachLine(list, maxList, func(n int, name string) error {
			file, err := find(name)
			switch {
			case err != nil:
				s.Dropf(list, n, "%v", err)
				return nil
			case listed[file]:
				s.Dropf(list, n, "%.200s is listed before", name)
				return nil
			}
			listed[file] = true
			return addPicture(s, file, split, labelsOf(file), size)
		})
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", list, err)
		}
	}
	if len(s.Images) == 0 && len(s.Dropped) == 0 {
		return nil, fmt.Errorf("%s has no list of pictures: it needs train, valid or test", data)
	}
	return s, nil
}

// labelsOf is where a picture's label file lies.
func labelsOf(picture string) string {
	dir, name := filepath.Split(picture)
	labels := dataset.Stem(name) + ".txt"
	own := filepath.Join(dir, labels)
	if _, err := os.Stat(own); err != nil && filepath.Base(dir) == "images" {
		return filepath.Join(filepath.Dir(filepath.Clean(dir)), "labels", labels)
	}
	return own
}

// readData reads lines of a key, an equals sign and a value.
func readData(file string) (map[string]string, error) {
	values := map[string]string{}
	return values, eachLine(file, maxData, func(n int, line string) error {
		if strings.HasPrefix(line, "#") {
			return nil
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("line %d is no key = value", n)
		}
		values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		return nil
	})
}

// beside returns the file that a .data file names by a path: from its folder, or else the one
// of that name in it.
func beside(data, name string) (string, error) {
	if name == "" {
		return "", errors.New("the file does not say")
	}
	name = strings.ReplaceAll(name, `\`, "/")
	dir := filepath.Dir(data)
	for _, n := range []string{name, path.Base(name)} {
		file, err := dataset.Path(dir, n)
		if err != nil {
			continue
		}
		if at, err := os.Stat(file); err == nil && at.Mode().IsRegular() {
			return file, nil
		}
	}
	return "", fmt.Errorf("%.200q: %w", name, fs.ErrNotExist)
}

// eachLine calls f with the number and the text of each line that is not blank.
func eachLine(file string, limit int64, f func(n int, text string) error) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(dataset.Limit(in, limit, file))
	for n := 1; lines.Scan(); n++ {
		if text := strings.TrimSpace(lines.Text()); text != "" {
			if err := f(n, text); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}
