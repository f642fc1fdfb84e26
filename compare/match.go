package compare

import (
	"slices"
	"strings"

	"trilobite/taxonomy"
)

// How says by what a route's label was found to mean a class of the set.
type How string

// The ways, the surest first.
const (
	ByMapping  How = "mapping"  // the user's file says so
	ByName     How = "exact"    // the same name, but for case, underscores and number
	ByAlias    How = "alias"    // another name of the same thing
	ByAncestor How = "ancestor" // the label is a kind of what the class names
)

// Matcher finds the set's classes in the vocabularies of others.
type Matcher struct {
	classes []class
	tax     *taxonomy.Taxonomy
	mapping map[string]string // label, folded, to the class's name, or to "" for none
}

// class is a class of the set with its other names, folded.
type class struct {
	name  string
	names []string // its own, singular and plural
	entry taxonomy.Entry
	alias []string
}

// Match is a label that was taken for a class.
type Match struct {
	Label string `json:"label"`
	Class string `json:"class"`
	How   How    `json:"how"`
}

// NewMatcher returns a Matcher for classes. mapping gives the class of a label, or "" for
// a label that means none of them, and wins over all else; its classes must be among the
// set's (see ReadMapping).
func NewMatcher(classes []string, tax *taxonomy.Taxonomy, mapping map[string]string) *Matcher {
	m := &Matcher{tax: tax, mapping: map[string]string{}}
	for label, c := range mapping {
		m.mapping[fold(label)] = c
	}
	for _, name := range classes {
		e := tax.Resolve(tax.Singular(taxonomy.Title(name)), 0)
		c := class{name: name, entry: e, names: []string{fold(name), fold(tax.Singular(name))}, alias: []string{fold(e.Name)}}
		for _, a := range e.Aliases {
			c.alias = append(c.alias, fold(a))
		}
		m.classes = append(m.classes, c)
	}
	return m
}

// fold is what two spellings of a name have in common.
func fold(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.NewReplacer("_", " ", "-", " ").Replace(name)), " "))
}

// Class returns the class, by index, that a label means, and how that was found; -1 where
// it means none. Of several the surest way wins, then the first class.
func (m *Matcher) Class(l Label) (int, How) {
	name := fold(l.Name)
	if to, ok := m.mapping[name]; ok {
		return slices.IndexFunc(m.classes, func(c class) bool { return c.name == to }), ByMapping
	}
	if i := m.find(func(c class) bool {
		return slices.Contains(c.names, name) || slices.Contains(c.names, fold(m.tax.Singular(l.Name)))
	}); i >= 0 {
		return i, ByName
	}
	entry := m.tax.Resolve(m.tax.Singular(taxonomy.Title(l.Name)), 0)
	theirs := []string{name, fold(entry.Name)}
	for _, a := range l.Aliases {
		theirs = append(theirs, fold(a))
	}
	if i := m.find(func(c class) bool {
		return slices.ContainsFunc(theirs, func(t string) bool { return slices.Contains(c.names, t) || slices.Contains(c.alias, t) })
	}); i >= 0 {
		return i, ByAlias
	}
	if i := m.find(func(c class) bool {
		return slices.ContainsFunc(l.Parents, func(p string) bool { return fold(p) == c.alias[0] || slices.Contains(c.names, fold(p)) }) ||
			m.tax.Broader(c.entry.Name, entry.Name)
	}); i >= 0 {
		return i, ByAncestor
	}
	return -1, ""
}

func (m *Matcher) find(is func(class) bool) int {
	return slices.IndexFunc(m.classes, func(c class) bool { return c.name != "" && is(c) })
}
