// Package wordnet looks nouns up in WordNet's database files.
//
// The files are made for searching in place: index.noun is sorted by lemma and gives
// the byte offsets of a lemma's senses in data.noun, most frequent sense first. The
// format is WordNet's own manual page, wndb(5WN). Nothing is parsed ahead of a
// question.
package wordnet

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// DB is WordNet's noun part. It is safe for concurrent use.
type DB struct {
	index, data []byte
}

// Synset is a set of synonyms: one meaning.
type Synset struct {
	Offset    int      // where it stands in data.noun; its identity within a WordNet release
	Lemmas    []string // spaces instead of underscores, most common first
	Gloss     string   // definition and examples
	Hypernyms []int    // offsets of the broader meanings, most apt first
}

// Open reads index.noun and data.noun from dir.
func Open(dir string) (*DB, error) {
	index, err := os.ReadFile(filepath.Join(dir, "index.noun"))
	if err != nil {
		return nil, fmt.Errorf("opening WordNet: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "data.noun"))
	if err != nil {
		return nil, fmt.Errorf("opening WordNet: %w", err)
	}
	return &DB{index: index, data: data}, nil
}

// Senses returns the synsets that a noun can mean, most frequent first; none if
// WordNet does not have it. Case and the choice between space, underscore and
// hyphen do not matter.
func (d *DB) Senses(noun string) []Synset {
	noun = strings.ToLower(strings.TrimSpace(noun))
	for _, lemma := range []string{
		strings.ReplaceAll(noun, " ", "_"),
		strings.ReplaceAll(strings.ReplaceAll(noun, " ", "_"), "-", "_"),
		strings.ReplaceAll(strings.ReplaceAll(noun, " ", ""), "-", ""),
		strings.ReplaceAll(noun, " ", "-"),
	} {
		if s := d.lookup(lemma); len(s) > 0 {
			return s
		}
	}
	return nil
}

// lookup finds the index line of an exact lemma and reads its senses.
func (d *DB) lookup(lemma string) []Synset {
	if lemma == "" {
		return nil
	}
	line := d.find(lemma)
	// lemma pos synset_cnt p_cnt [ptr_symbol…] sense_cnt tagsense_cnt synset_offset…
	f := strings.Fields(line)
	if len(f) < 7 {
		return nil
	}
	n, err := strconv.Atoi(f[2])
	if err != nil || n < 1 || n > len(f)-6 {
		return nil
	}
	var senses []Synset
	for _, s := range f[len(f)-n:] {
		offset, err := strconv.Atoi(s)
		if err != nil {
			return nil
		}
		if s, ok := d.Synset(offset); ok {
			senses = append(senses, s)
		}
	}
	return senses
}

// find returns the line of index.noun that begins with lemma and a space, by binary
// search over byte positions; the licence lines at the top begin with a space and
// sort first.
func (d *DB) find(lemma string) string {
	key := []byte(lemma + " ")
	lo, hi := 0, len(d.index)
	for lo < hi {
		mid := (lo + hi) / 2
		start := bytes.LastIndexByte(d.index[:mid], '\n') + 1
		end := len(d.index)
		if n := bytes.IndexByte(d.index[start:], '\n'); n >= 0 {
			end = start + n
		}
		line := d.index[start:end]
		switch {
		case bytes.HasPrefix(line, key):
			return string(line)
		case bytes.Compare(line, key) < 0:
			lo = end + 1
		default:
			hi = start
		}
	}
	return ""
}

// Synset returns the synset at an offset of data.noun, or false if none begins there.
func (d *DB) Synset(offset int) (Synset, bool) {
	if offset < 0 || offset >= len(d.data) {
		return Synset{}, false
	}
	line := d.data[offset:]
	if n := bytes.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	head, gloss, _ := strings.Cut(string(line), " | ")
	// synset_offset lex_filenum ss_type w_cnt word lex_id… p_cnt [symbol offset pos source/target]…
	f := strings.Fields(head)
	if len(f) < 5 {
		return Synset{}, false
	}
	if at, err := strconv.Atoi(f[0]); err != nil || at != offset {
		return Synset{}, false
	}
	words, err := strconv.ParseInt(f[3], 16, 32)
	if err != nil || len(f) < 5+2*int(words) {
		return Synset{}, false
	}
	s := Synset{Offset: offset, Gloss: strings.TrimSpace(gloss)}
	for i := range int(words) {
		s.Lemmas = append(s.Lemmas, strings.ReplaceAll(f[4+2*i], "_", " "))
	}
	for p := 5 + 2*int(words); p+3 < len(f); p += 4 {
		if f[p] == "@" || f[p] == "@i" {
			if to, err := strconv.Atoi(f[p+1]); err == nil {
				s.Hypernyms = append(s.Hypernyms, to)
			}
		}
	}
	return s, true
}

// Ancestors returns the synsets broader than s, nearest first, each once.
func (d *DB) Ancestors(s Synset) []Synset {
	var all []Synset
	seen := map[int]bool{s.Offset: true}
	for next := slices.Clone(s.Hypernyms); len(next) > 0; next = next[1:] {
		if seen[next[0]] {
			continue
		}
		seen[next[0]] = true
		if up, ok := d.Synset(next[0]); ok {
			all = append(all, up)
			next = append(next, up.Hypernyms...)
		}
	}
	return all
}
