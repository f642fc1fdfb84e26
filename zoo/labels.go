package zoo

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"trilobite/taxonomy"
)

//go:embed labels/*.txt
var labelLists embed.FS

// maxClasses bounds a label list: ImageNet-21k has 21,841.
const maxClasses = 100_000

// Labels are a model's classes in the words of the taxonomy.
type Labels struct {
	Classes   []Class          `json:"classes"`
	Ancestors []taxonomy.Entry `json:"ancestors"` // every parent of a class, once
}

// Class is one output of a model. An empty Name is an output without meaning.
type Class struct {
	Name  string         `json:"name"`  // as the model's authors call it
	Label taxonomy.Entry `json:"label"` // as people read it
}

// Names returns the classes' own names, by index.
func (l Labels) Names() []string {
	names := make([]string, len(l.Classes))
	for i, c := range l.Classes {
		names[i] = c.Name
	}
	return names
}

// resolve reads a label list and looks every class up. A line is a name, or three
// fields with tabs between: an id, the byte offset of the meaning in WordNet's
// data.noun, a name. An empty line is an unused class.
func resolve(list string, t *taxonomy.Taxonomy) (Labels, error) {
	var l Labels
	list = strings.TrimPrefix(list, "\ufeff")
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(list, "\r\n", "\n"), "\n"), "\n")
	if len(lines) > maxClasses {
		return l, fmt.Errorf("%d classes are more than %d", len(lines), maxClasses)
	}
	seen := map[string]bool{}
	for i, line := range lines {
		name, synset := strings.TrimSpace(line), 0
		if f := strings.Split(line, "\t"); len(f) == 3 {
			offset, err := strconv.Atoi(f[1])
			if err != nil {
				return l, fmt.Errorf("line %d: %q is no WordNet offset", i+1, f[1])
			}
			name, synset = f[2], offset
		}
		if name == "" {
			l.Classes = append(l.Classes, Class{})
			continue
		}
		c := Class{Name: name, Label: t.Resolve(name, synset)}
		l.Classes = append(l.Classes, c)
		for _, p := range c.Label.Parents {
			if e, ok := t.Lookup(p); ok && !seen[e.Name] {
				seen[e.Name] = true
				l.Ancestors = append(l.Ancestors, e)
			}
		}
	}
	return l, nil
}

// builtinLabels returns a label list that ships with the program.
func builtinLabels(name string) (string, error) {
	data, err := labelLists.ReadFile("labels/" + name + ".txt")
	if err != nil {
		return "", fmt.Errorf("no label list %q", name)
	}
	return string(data), nil
}
