package taxonomy

import (
	"slices"
	"strconv"
	"strings"

	"trilobite/taxonomy/wordnet"
)

// Broader reports whether class names something broader than name: one of its ancestors
// in the table, or in WordNet a hypernym of its most frequent meaning by class's.
func (t *Taxonomy) Broader(class, name string) bool {
	if slices.Contains(t.Resolve(name, 0).Parents, t.Resolve(class, 0).Name) {
		return true
	}
	own, ok := t.sense(name)
	above, found := t.sense(class)
	return ok && found && slices.ContainsFunc(t.db.Ancestors(own), func(s wordnet.Synset) bool { return s.Offset == above.Offset })
}

// sense is what a name means in WordNet: what the table says, or else its most frequent
// meaning.
func (t *Taxonomy) sense(name string) (wordnet.Synset, bool) {
	if t.db == nil {
		return wordnet.Synset{}, false
	}
	if row, ok := t.names[strings.ToLower(strings.TrimSpace(name))]; ok && len(t.rows[row].WordNet) > 0 {
		lemma, number, _ := strings.Cut(t.rows[row].WordNet[0], ".")
		if n, err := strconv.Atoi(number); err == nil { // New has checked that the meaning is there
			return t.db.Senses(lemma)[n-1], true
		}
	}
	senses := t.db.Senses(name)
	if len(senses) == 0 {
		return wordnet.Synset{}, false
	}
	return senses[0], true
}

// detached are the endings of plurals and what stands for them in the singular: the rules
// for nouns of WordNet's own morphy(7).
var detached = [][2]string{
	{"ies", "y"}, {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"}, {"s", ""},
}

// Singular returns the singular of a name where WordNet has one, and the name itself
// otherwise: "bees" is "bee", and "glasses" stays what it is.
func (t *Taxonomy) Singular(name string) string {
	lower := strings.ToLower(strings.TrimSpace(name))
	if t.db == nil || len(t.db.Senses(lower)) > 0 {
		return name
	}
	for _, d := range detached {
		if stem, ok := strings.CutSuffix(lower, d[0]); ok && stem != "" && len(t.db.Senses(stem+d[1])) > 0 {
			return stem + d[1]
		}
	}
	return name
}
