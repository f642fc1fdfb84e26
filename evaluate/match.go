package evaluate

import (
	"strings"

	"trilobite/taxonomy"
	"trilobite/zoo"
)

// match pairs the model's classes with the set's: by number, or by name, the model's
// own, its label's or one of its aliases, in any case. It returns the set's number for
// each of the model's, and the names of the set that found no class of their own.
func match(labels zoo.Labels, names []string, byIndex bool) (to map[int]int, unmatched []string) {
	to = map[int]int{}
	if byIndex {
		for i := range labels.Classes {
			to[i] = i
		}
		return to, nil
	}
	known := map[string]int{}
	remember := func(name string, class int) {
		key := strings.ToLower(taxonomy.Title(name))
		if _, taken := known[key]; !taken && name != "" {
			known[key] = class
		}
	}
	for i, c := range labels.Classes {
		remember(c.Name, i)
	}
	for i, c := range labels.Classes {
		remember(c.Label.Name, i)
	}
	for i, c := range labels.Classes {
		for _, a := range c.Label.Aliases {
			remember(a, i)
		}
	}
	for class, name := range names {
		if name == "" {
			continue
		}
		i, ok := known[strings.ToLower(taxonomy.Title(name))]
		if _, taken := to[i]; !ok || taken {
			unmatched = append(unmatched, name)
			continue
		}
		to[i] = class
	}
	return to, unmatched
}
