package masks

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"trilobite/dataset"
)

// TableNames are the files that name classes, in the order in which they are looked for.
func TableNames() []string {
	return []string{"classes.txt", "colors.txt", "colours.txt", "label_colors.txt", "class_dict.csv", "labelmap.txt"}
}

// IgnoreValue is the value of pixels that stand for no class in what Decode returns, and
// Set.Ignore where a class is one of these pixels.
const IgnoreValue = dataset.IgnoreValue

const (
	maxTable = 1 << 20
	// maxClasses leaves room for IgnoreValue among the values of a byte.
	maxClasses = 255
)

func findTable(root string) string {
	for _, name := range TableNames() {
		path := filepath.Join(root, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

func readTable(path string, s *dataset.Set) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := ParseTable(io.LimitReader(f, maxTable), s); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// ParseTable reads a table of classes into the set's Classes, Values, Colors and Ignore.
// Each line is one of
//
//	3 Road            value and name
//	Road              name alone; values count from 0
//	128 64 128 Road   colour and name, also Road,128,64,128 and Road:128,64,128
//	3 Road #804080    colour and name; the value says nothing then
//
// Either all lines have colours or none. A class called unlabelled, void, ignore or the
// like stands for pixels that do not count and is none of the classes. Classes are
// numbered in the order of their values, or of the lines where there are colours.
func ParseTable(r io.Reader, s *dataset.Set) error {
	var entries []entry
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || strings.HasPrefix(text, "#") || isHeading(text) {
			continue
		}
		e, err := parseEntry(text)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		e.line = n
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(entries) == 0 {
		return errors.New("it names no classes")
	}
	return apply(entries, s)
}

type entry struct {
	name  string
	value int // -1: none
	color *[3]uint8
	line  int
}

// isHeading recognises class_dict.csv's "name,r,g,b" and CVAT's "# label:color…".
func isHeading(text string) bool {
	t := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	return t == "name,r,g,b" || t == "r,g,b,name" || strings.HasPrefix(t, "label:")
}

func parseEntry(text string) (entry, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ':' })
	if len(words) == 0 {
		return entry{}, errors.New("no name")
	}
	e := entry{value: -1}
	last := words[len(words)-1]
	switch {
	case strings.HasPrefix(last, "#") && len(last) == 7:
		v, err := strconv.ParseUint(last[1:], 16, 32)
		if err != nil {
			return e, fmt.Errorf("%q is no colour", last)
		}
		e.color, words = &[3]uint8{uint8(v >> 16), uint8(v >> 8), uint8(v)}, words[:len(words)-1]
	case len(words) > 3 && levels(words[:3]) != nil:
		e.color, words = levels(words[:3]), words[3:]
	case len(words) > 3 && levels(words[len(words)-3:]) != nil:
		e.color, words = levels(words[len(words)-3:]), words[:len(words)-3]
	}
	if len(words) > 1 {
		if v, err := strconv.Atoi(words[0]); err == nil {
			if v < 0 || v > 255 {
				return e, fmt.Errorf("value %d is out of 0 to 255", v)
			}
			e.value, words = v, words[1:]
		}
	}
	if e.name = strings.Join(words, " "); e.name == "" {
		return e, errors.New("no name")
	}
	return e, nil
}

// levels reads red, green and blue; nil where words are something else.
func levels(words []string) *[3]uint8 {
	var c [3]uint8
	for i := range c {
		v, err := strconv.ParseUint(words[i], 10, 8)
		if err != nil {
			return nil
		}
		c[i] = uint8(v)
	}
	return &c
}

// apply numbers the classes and says what values or colours they have.
func apply(entries []entry, s *dataset.Set) error {
	numbered, colored := entries[0].value >= 0, entries[0].color != nil
	byValue := [256]*entry{}
	s.Classes, s.Ignore = nil, dataset.NoIgnore
	if colored {
		s.Colors = map[[3]uint8]int{}
	}
	add := func(e *entry) int {
		if dataset.IsIgnore(e.name) {
			s.Ignore = IgnoreValue
			return IgnoreValue
		}
		s.Classes = append(s.Classes, e.name)
		return len(s.Classes) - 1
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case (e.color != nil) != colored:
			return fmt.Errorf("line %d: either every class has a colour or none", e.line)
		case colored:
			if _, twice := s.Colors[*e.color]; twice {
				return fmt.Errorf("line %d: colour %d %d %d is another class's", e.line, e.color[0], e.color[1], e.color[2])
			}
			s.Colors[*e.color] = add(e)
			continue
		case (e.value >= 0) != numbered:
			return fmt.Errorf("line %d: either every class has a number or none", e.line)
		case !numbered:
			e.value = i
		}
		if e.value >= len(byValue) {
			return fmt.Errorf("line %d: more than %d classes", e.line, len(byValue))
		}
		if byValue[e.value] != nil {
			return fmt.Errorf("line %d: value %d is another class's, line %d", e.line, e.value, byValue[e.value].line)
		}
		byValue[e.value] = e
	}
	if !colored {
		s.Values = map[int]int{}
		for v, e := range byValue {
			if e != nil {
				s.Values[v] = add(e)
			}
		}
	}
	if len(s.Classes) == 0 || len(s.Classes) > maxClasses {
		return fmt.Errorf("%d classes, want 1 to %d", len(s.Classes), maxClasses)
	}
	return nil
}
