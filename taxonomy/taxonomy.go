// Package taxonomy turns the class names of models into readable labels with parents,
// aliases and categories, in the manner of Rekognition's published label list.
//
// Two sources answer: table.yaml, kept by hand, and WordNet for every name that the
// table lacks: the name's hypernyms are walked until one is in the table. Names that
// neither knows are labels without relations. Start at Resolve.
package taxonomy

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"trilobite/taxonomy/wordnet"
)

//go:embed table.yaml
var table []byte

// Entry is a label and its relations.
type Entry struct {
	Name       string   `yaml:"name"`
	Parents    []string `yaml:"parents,omitempty,flow"` // every ancestor, nearest first
	Aliases    []string `yaml:"aliases,omitempty,flow"`
	Categories []string `yaml:"categories,omitempty,flow"`
}

// row is a line of table.yaml.
type row struct {
	In       []string `yaml:"in"`
	Category string   `yaml:"category"`
	Aliases  []string `yaml:"aliases"`
	WordNet  []string `yaml:"wordnet"`
}

// Taxonomy resolves names. It is safe for concurrent use.
type Taxonomy struct {
	rows   map[string]row
	names  map[string]string // lower-case name or alias -> name
	synset map[int]string    // WordNet offset -> name
	db     *wordnet.DB       // nil: the table alone
}

// New reads the table; db may be nil. It fails if the table names a parent or a
// WordNet meaning that does not exist.
func New(db *wordnet.DB) (*Taxonomy, error) {
	t := &Taxonomy{names: map[string]string{}, synset: map[int]string{}, db: db}
	if err := yaml.UnmarshalWithOptions(table, &t.rows, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("reading the label table: %w", err)
	}
	for name, r := range t.rows {
		t.names[strings.ToLower(name)] = name
		for _, p := range r.In {
			if _, ok := t.rows[p]; !ok {
				return nil, fmt.Errorf("label table: %s has unknown parent %q", name, p)
			}
		}
		for _, w := range r.WordNet {
			if err := t.bind(name, w); err != nil {
				return nil, fmt.Errorf("label table: %s: %w", name, err)
			}
		}
	}
	for name, r := range t.rows {
		for _, a := range r.Aliases {
			if _, taken := t.names[strings.ToLower(a)]; !taken {
				t.names[strings.ToLower(a)] = name
			}
		}
	}
	return t, nil
}

// bind records that the WordNet meaning "lemma.sense" is the label name.
func (t *Taxonomy) bind(name, meaning string) error {
	if t.db == nil {
		return nil
	}
	lemma, number, _ := strings.Cut(meaning, ".")
	sense, err := strconv.Atoi(number)
	senses := t.db.Senses(lemma)
	if err != nil || sense < 1 || sense > len(senses) {
		return fmt.Errorf("WordNet has no meaning %q", meaning)
	}
	offset := senses[sense-1].Offset
	if other, taken := t.synset[offset]; taken && other != name {
		return fmt.Errorf("WordNet meaning %q is already %s", meaning, other)
	}
	t.synset[offset] = name
	return nil
}

// Resolve returns the label for a model's class name. synset is the offset of its
// meaning in WordNet's data.noun, or 0 to take the name's most frequent meaning.
func (t *Taxonomy) Resolve(name string, synset int) Entry {
	meaning, known := t.meaning(name, synset)
	if known {
		if row, ok := t.synset[meaning.Offset]; ok {
			return t.entry(row)
		}
	}
	if row, ok := t.names[strings.ToLower(strings.TrimSpace(name))]; ok && synset == 0 {
		return t.entry(row)
	}
	e := Entry{Name: Title(name)}
	if !known {
		return e
	}
	for _, l := range meaning.Lemmas {
		if alias := Title(l); !strings.EqualFold(alias, e.Name) && !slices.Contains(e.Aliases, alias) {
			e.Aliases = append(e.Aliases, alias)
		}
	}
	for _, a := range t.db.Ancestors(meaning) {
		if row, ok := t.synset[a.Offset]; ok && row != e.Name {
			parent := t.entry(row)
			e.Parents = append([]string{row}, parent.Parents...)
			e.Categories = parent.Categories
			break
		}
	}
	return e
}

// meaning looks the class up in WordNet. A name that the table has keeps the table's
// meaning: it was chosen by hand.
func (t *Taxonomy) meaning(name string, synset int) (wordnet.Synset, bool) {
	if t.db == nil {
		return wordnet.Synset{}, false
	}
	if synset != 0 {
		return t.db.Synset(synset)
	}
	if _, ok := t.names[strings.ToLower(strings.TrimSpace(name))]; ok {
		return wordnet.Synset{}, false
	}
	senses := t.db.Senses(name)
	if len(senses) == 0 {
		return wordnet.Synset{}, false
	}
	return senses[0], true
}

// Lookup returns a label of the table by name or alias, in any case.
func (t *Taxonomy) Lookup(name string) (Entry, bool) {
	row, ok := t.names[strings.ToLower(name)]
	if !ok {
		return Entry{}, false
	}
	return t.entry(row), true
}

// entry collects a row's ancestors breadth first and its category.
func (t *Taxonomy) entry(name string) Entry {
	e := Entry{Name: name, Aliases: t.rows[name].Aliases}
	if c := t.category(name); c != "" {
		e.Categories = []string{c}
	}
	for next := t.rows[name].In; len(next) > 0; {
		var further []string
		for _, p := range next {
			if p != name && !slices.Contains(e.Parents, p) {
				e.Parents = append(e.Parents, p)
				further = append(further, t.rows[p].In...)
			}
		}
		next = further
	}
	return e
}

func (t *Taxonomy) category(name string) string {
	for range len(t.rows) { // bounds a cycle in the table
		r := t.rows[name]
		if r.Category != "" || len(r.In) == 0 {
			return r.Category
		}
		name = r.In[0]
	}
	return ""
}

// Title writes a class name as a label: "teddy_bear" becomes "Teddy Bear". Words
// that hold a capital already keep theirs.
func Title(name string) string {
	words := strings.Fields(strings.ReplaceAll(name, "_", " "))
	for i, w := range words {
		if strings.ToLower(w) == w && (i == 0 || !slices.Contains([]string{"of", "and", "the", "in", "for", "de", "des"}, w)) {
			_, n := utf8.DecodeRuneInString(w)
			words[i] = strings.ToUpper(w[:n]) + w[n:]
		}
	}
	return strings.Join(words, " ")
}
