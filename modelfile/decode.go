package modelfile

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"trilobite/nn"
	"trilobite/onnx"
)

const (
	maxFile  = 1 << 20 // bytes; the parser takes quadratic time on some texts
	maxNodes = 100_000
)

// FileError is something wrong in a file.
type FileError struct {
	File string
	Line int    // from 1; 0: of the whole
	Path string // field, such as training.stages[0].lr
	Msg  string
}

// Error returns "file:line: path: message".
func (p FileError) Error() string {
	at := p.File
	if p.Line > 0 {
		at += ":" + strconv.Itoa(p.Line)
	}
	if p.Path != "" {
		at += ": " + p.Path
	}
	return at + ": " + p.Msg
}

// Finder returns an imported model that a backbone names: one of the model store, or an
// .onnx file, for images of a size, and the taps that it is usually used with. Where there
// is none it fails with fs.ErrNotExist.
type Finder func(name string, width, height int) (g *onnx.Graph, taps []string, err error)

// Read reads and checks a model file. Its errors are FileErrors, joined. find may be nil.
func Read(path string, find Finder) (*Spec, error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if at.Size() > maxFile {
		return nil, FileError{path, 0, "", fmt.Sprintf("it has %d bytes, at most %d are read", at.Size(), maxFile)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data, find)
}

// Parse reads and checks the text of a model file, whose name is for errors. It knows no
// imported models.
func Parse(name string, data []byte) (*Spec, error) { return parse(name, data, nil) }

func parse(name string, data []byte, find Finder) (*Spec, error) {
	if len(data) > maxFile {
		return nil, FileError{name, 0, "", fmt.Sprintf("it has %d bytes, at most %d are read", len(data), maxFile)}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, syntaxError(name, err)
	}
	if len(root.Content) == 0 {
		return nil, FileError{name, 0, "", "it is empty; `trilobite model init` writes one"}
	}
	d := decoder{file: name, lines: map[string]int{}}
	s := new(Spec)
	d.value(root.Content[0], reflect.ValueOf(s).Elem(), "", "")
	if len(d.problems) == 0 {
		s.check(&d, find)
	}
	return s, errors.Join(d.problems...)
}

// grammar begins the messages of yaml's parser, which counts lines from 0; its scanner's
// are from 1.
var grammar = []string{
	"did not find expected key", "did not find expected '-'", "did not find expected ','",
	"did not find expected node content", "did not find expected <document start>",
}

// syntaxError takes the line out of what the parser says: "yaml: line 3: did not find …".
func syntaxError(file string, err error) FileError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if at, rest, ok := strings.Cut(strings.TrimPrefix(text, "line "), ": "); ok {
		if line, err := strconv.Atoi(at); err == nil {
			if slices.ContainsFunc(grammar, func(s string) bool { return strings.HasPrefix(rest, s) }) {
				line++
			}
			return FileError{file, line, "", rest}
		}
	}
	return FileError{file, 0, "", text}
}

// Fault is something wrong with a field of a file that was read without an error: with
// what the field names, or with the machine.
func Fault(path, field, format string, args ...any) error {
	e := FileError{path, 0, field, fmt.Sprintf(format, args...)}
	if data, err := os.ReadFile(path); err == nil {
		d := decoder{lines: map[string]int{}}
		var root yaml.Node
		if yaml.Unmarshal(data, &root) == nil && len(root.Content) > 0 {
			d.value(root.Content[0], reflect.ValueOf(new(Spec)).Elem(), "", "")
		}
		e.Line = d.line(field)
	}
	return e
}

// decoder fills Go values from YAML nodes and remembers where each field stands.
type decoder struct {
	file     string
	nodes    int
	lines    map[string]int // by path
	problems []error
}

// maxProblems is how many problems are told.
const maxProblems = 20

func (d *decoder) failf(path, format string, args ...any) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, FileError{d.file, d.line(path), path, fmt.Sprintf(format, args...)})
	}
}

// failAt tells of an error that begins with the line it is about, as package pipeline's do.
func (d *decoder) failAt(path string, err error) {
	line, text := 0, err.Error()
	if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 1 {
		d.lines[path] = line
		_, text, _ = strings.Cut(text, ": ")
	}
	d.failf(path, "%s", text)
}

// line returns the line of a field, or of the nearest field around it.
func (d *decoder) line(path string) int {
	for path != "" && d.lines[path] == 0 {
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return d.lines[path]
}

// value reads a node into v; tag is the field's struct tag.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	d.lines[path] = n.Line
	if d.nodes++; d.nodes > maxNodes {
		d.failf(path, "the file has more than %d values", maxNodes)
		return
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.failf(path, "anchors and aliases are not read; write the value out")
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // as if it were left out
	}
	if u, ok := reflect.TypeAssert[interface{ UnmarshalText([]byte) error }](v.Addr()); ok {
		if n.Kind != yaml.ScalarNode {
			d.failf(path, "is %s, want a word", kind(n))
		} else if err := u.UnmarshalText([]byte(n.Value)); err != nil {
			d.failf(path, "%v", err)
		}
		return
	}
	if u, ok := reflect.TypeAssert[yaml.Unmarshaler](v.Addr()); ok {
		if err := u.UnmarshalYAML(n); err != nil {
			d.failAt(path, err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.fields(n, v, path)
	case reflect.Slice:
		d.elements(n, v, path, tag)
	default:
		d.scalar(n, v, path, tag)
	}
}

func (d *decoder) fields(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.failf(path, "is %s, want fields (%s)", kind(n), strings.Join(fieldNames(v.Type()), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, at := n.Content[i].Value, join(path, n.Content[i].Value)
		d.lines[at] = n.Content[i].Line
		f, ok := field(v.Type(), name)
		switch {
		case !ok:
			d.failf(at, "there is no such field; %s", Nearest(name, fieldNames(v.Type())))
		case seen[name]:
			d.failf(at, "is there twice")
		default:
			seen[name] = true
			d.value(n.Content[i+1], v.FieldByIndex(f.Index), at, f.Tag)
			d.lines[at] = n.Content[i].Line
		}
	}
}

func (d *decoder) elements(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n.Kind != yaml.SequenceNode {
		d.failf(path, "is %s, want a list", kind(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, c := range n.Content {
		d.value(c, list.Index(i), fmt.Sprintf("%s[%d]", path, i), tag)
	}
	v.Set(list)
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n.Kind != yaml.ScalarNode {
		d.failf(path, "is %s, want %s", kind(n), plain(v.Kind()))
		return
	}
	if err := n.Decode(v.Addr().Interface()); err != nil {
		d.failf(path, "is %.80q, want %s", n.Value, plain(v.Kind()))
		return
	}
	if words, ok := tag.Lookup("enum"); ok && v.Kind() == reflect.String {
		if known := strings.Split(words, ","); !slices.Contains(known, v.String()) {
			d.failf(path, "%.80q is unknown; %s", v.String(), Nearest(v.String(), known))
		}
	}
	if low, high, ok := bounds(tag); ok {
		var x float64
		switch {
		case v.CanInt():
			x = float64(v.Int())
		case v.CanFloat():
			x = v.Float()
		}
		if !(x >= low && x <= high) {
			d.failf(path, "is %s, want %g to %g", n.Value, low, high)
		}
	}
}

// bounds reads a tag range:"low,high".
func bounds(tag reflect.StructTag) (low, high float64, ok bool) {
	a, b, ok := strings.Cut(tag.Get("range"), ",")
	if !ok {
		return 0, 0, false
	}
	low, errLow := strconv.ParseFloat(a, 64)
	high, errHigh := strconv.ParseFloat(b, 64)
	if errLow != nil || errHigh != nil || math.IsNaN(low+high) {
		panic("modelfile: range " + tag.Get("range"))
	}
	return low, high, true
}

// field finds a struct's field by its YAML name.
func field(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if f.IsExported() && name != "-" && yamlName(f) == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		if f.IsExported() && yamlName(f) != "-" {
			names = append(names, yamlName(f))
		}
	}
	return names
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// kind names what a node is.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a set of fields"
	case yaml.SequenceNode:
		return "a list"
	default:
		return fmt.Sprintf("%.80q", n.Value)
	}
}

// plain names a Go kind for people.
func plain(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	default:
		return "a number"
	}
}

// Nearest ends an error about an unknown name: with the one that was meant, where one is
// near or begins so, else with all.
func Nearest(name string, known []string) string {
	name = strings.ToLower(name)
	best, at := "", math.MaxInt
	for _, k := range known {
		d := nn.EditDistance(name, k)
		if len(name) > 2 && strings.HasPrefix(k, name) {
			d = 1
		}
		if d < at {
			best, at = k, d
		}
	}
	if at <= max(2, len(name)/3) {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "want one of " + strings.Join(known, ", ")
}
