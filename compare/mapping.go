package compare

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// maxMapping bounds a mapping file in bytes.
const maxMapping = 1 << 20

// ReadMapping reads a file that says which class of the set a route's label means:
//
//	Sashimi: sushi
//	Plate: none      # means no class, whatever it looks like
//
// Labels are matched whatever their case. A class that the set does not have is an error
// that names the line's label.
func ReadMapping(path string, classes []string) (map[string]string, error) {
	if at, err := os.Stat(path); err != nil {
		return nil, err
	} else if at.Size() > maxMapping {
		return nil, fmt.Errorf("%s is larger than %d MiB: it is no mapping of labels", path, maxMapping>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m map[string]string
	if err := yaml.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("reading %s: lines are LABEL: CLASS: %w", path, err)
	}
	for label, c := range m {
		if strings.EqualFold(c, "none") && !slices.Contains(classes, c) {
			m[label] = ""
		} else if !slices.Contains(classes, c) {
			return nil, fmt.Errorf("%s: %q is mapped to %q, which is no class of the data set: %s", path, label, c, strings.Join(classes, ", "))
		}
	}
	return m, nil
}
