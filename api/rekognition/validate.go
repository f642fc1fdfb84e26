package rekognition

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:generate go run ./internal/gen -model ../../.deps/botocore/service-2.json.gz -out shapes_gen.go

// shapeKind is a type of the service model.
type shapeKind byte

// The kinds of shapes. Booleans and timestamps have no constraints.
const (
	structureShape shapeKind = iota
	listShape
	mapShape
	stringShape
	blobShape
	integerShape
	longShape
	floatShape
)

// none stands for a limit that is not set.
const none = math.MinInt64

// shape is what the service model asks of a value. min and max bound a number's value, a
// string's characters, a blob's bytes, a list's or map's members.
type shape struct {
	kind      shapeKind
	min, max  int64
	pattern   string // as the model has it, for messages
	re        string // the same, anchored, for Go
	forbidden string // a prefix that pattern excludes and re cannot
	enum      []string
	members   []member
	member    *int // of a list: index into shapes
	key       *int // of a map
	value     *int
}

// member is a field of a structure: its name, its shape (-1: unconstrained), and
// whether it must be there.
type member struct {
	name     string
	shape    int
	required bool
}

func at(i int) *int { return &i }

// maxViolations bounds a message; AWS stops at ten too.
const maxViolations = 10

// validator checks decoded inputs against the service model.
type validator struct {
	rules [][]constraint // by shape
}

func newValidator() *validator {
	v := &validator{rules: make([][]constraint, len(shapes))}
	for i := range shapes {
		v.rules[i] = shapes[i].constraints()
	}
	return v
}

// validationError is an input that breaks the service model's rules.
type validationError struct{ violations []string }

// Error returns the sentence AWS answers with.
func (e *validationError) Error() string {
	n := len(e.violations)
	noun := "errors"
	if n == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", n, noun, strings.Join(e.violations, "; "))
}

// check returns a *validationError if in, a pointer to the operation's input struct,
// breaks a rule. An enum given as "" counts as not given.
func (v *validator) check(operation string, in any) error {
	id, ok := inputs[operation]
	if !ok || id < 0 {
		return nil
	}
	var e validationError
	v.walk(id, reflect.ValueOf(in).Elem(), "", &e)
	if len(e.violations) == 0 {
		return nil
	}
	return &e
}

func (e *validationError) add(value, path, constraint string) {
	if len(e.violations) < maxViolations {
		e.violations = append(e.violations, fmt.Sprintf("Value %sat '%s' failed to satisfy constraint: %s", value, path, constraint))
	}
}

func (v *validator) walk(id int, val reflect.Value, path string, e *validationError) {
	for val.Kind() == reflect.Pointer {
		val = val.Elem()
	}
	s := &shapes[id]
	for _, c := range v.rules[id] {
		if !c.holds(val) {
			e.add(show(s.kind, val), path, c.text)
		}
	}
	switch s.kind {
	case structureShape:
		v.walkStructure(s, val, path, e)
	case listShape:
		v.walkList(s, val, path, e)
	case mapShape:
		v.walkMap(s, val, path, e)
	default:
	}
}

func (v *validator) walkStructure(s *shape, val reflect.Value, path string, e *validationError) {
	for _, m := range s.members {
		f := val.FieldByName(m.name)
		at := joinPath(path, m.name)
		switch {
		case missing(f):
			if m.required {
				e.add("null ", at, "Member must not be null")
			}
		case m.shape >= 0:
			v.walk(m.shape, f, at, e)
		}
	}
}

// walkList checks the members of a list. A broken plain member is reported at the list
// with all that is asked of members; one inside a structure at its own path.
func (v *validator) walkList(s *shape, val reflect.Value, path string, e *validationError) {
	if s.member == nil {
		return
	}
	if shapes[*s.member].kind == structureShape {
		for i := range val.Len() {
			v.walk(*s.member, val.Index(i), path+"."+strconv.Itoa(i+1)+".member", e)
		}
		return
	}
	for i := range val.Len() {
		if !v.holds(*s.member, val.Index(i)) {
			e.add(show(s.kind, val), path, "Member must satisfy constraint: "+v.describe(*s.member))
			return
		}
	}
}

func (v *validator) walkMap(s *shape, val reflect.Value, path string, e *validationError) {
	iter := val.MapRange()
	for iter.Next() {
		if s.key != nil && !v.holds(*s.key, iter.Key()) {
			e.add(show(s.kind, val), path, "Map keys must satisfy constraint: "+v.describe(*s.key))
			return
		}
		if s.value != nil && !v.holds(*s.value, iter.Value()) {
			e.add(show(s.kind, val), path, "Map value must satisfy constraint: "+v.describe(*s.value))
			return
		}
	}
}

func (v *validator) holds(id int, val reflect.Value) bool {
	for _, c := range v.rules[id] {
		if !c.holds(val) {
			return false
		}
	}
	return true
}

func (v *validator) describe(id int) string {
	var texts []string
	for _, c := range v.rules[id] {
		texts = append(texts, c.text)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// joinPath appends a member, whose first letter AWS writes small.
func joinPath(path, name string) string {
	name = strings.ToLower(name[:1]) + name[1:]
	if path == "" {
		return name
	}
	return path + "." + name
}

func missing(f reflect.Value) bool {
	switch f.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return f.IsNil()
	case reflect.String:
		return f.Len() == 0
	default:
		return false
	}
}

// show returns the value as a message quotes it, with a space after, or nothing for an
// image. Long ones are cut.
func show(kind shapeKind, val reflect.Value) string {
	var text string
	switch kind {
	case blobShape:
		return ""
	case listShape, mapShape:
		if e := val.Type().Elem().Kind(); e == reflect.Struct || e == reflect.Slice {
			return ""
		}
		text = strings.ReplaceAll(fmt.Sprintf("%v", firstOf(val)), "map[", "[")
	case floatShape:
		text = strconv.FormatFloat(val.Float(), 'f', -1, val.Type().Bits())
	default:
		text = fmt.Sprint(val)
	}
	const most = 200
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return "'" + text + "' "
}

// firstOf cuts a list to a length worth printing.
func firstOf(val reflect.Value) any {
	const most = 20
	if val.Kind() == reflect.Slice && val.Len() > most {
		val = val.Slice(0, most)
	}
	return val.Interface()
}
