package onnx

import (
	"fmt"
	"strings"

	"trilobite/tensor"
)

// schema says what a node of one operator looks like; schema_table.go has them all.
type schema struct {
	in, out       []param // a variadic one is the last
	minIn, minOut int
	attrs         []attrSchema
}

// param is a formal input or output. Parameters of the same type name, such as T,
// have the same element type; an empty name is bound to nothing.
type param struct {
	name   string
	typ    string
	dtypes uint32 // bit d: element type d is allowed; 0: not a tensor
	option option
}

// option is how often a parameter may be given.
type option uint8

const (
	single option = iota
	optional
	variadic
)

// attrSchema is a formal attribute.
type attrSchema struct {
	name     string
	kind     attrType
	required bool
}

// attrType is the Go type of an attribute's value.
type attrType string

const (
	kindInt     attrType = "int64"
	kindFloat   attrType = "float32"
	kindString  attrType = "string"
	kindInts    attrType = "[]int64"
	kindFloats  attrType = "[]float32"
	kindStrings attrType = "[]string"
	kindTensor  attrType = "*tensor.Tensor"
	kindGraph   attrType = "*onnx.Graph"
)

// check compares n with the schema.
func (s schema) check(n *Node) error {
	types := map[string]tensor.DType{} // what T and the others stand for
	if err := checkParams("input", s.in, s.minIn, n.In, types); err != nil {
		return err
	}
	if err := checkParams("output", s.out, s.minOut, n.Out, types); err != nil {
		return err
	}
	return s.checkAttrs(n)
}

func checkParams(what string, formal []param, least int, actual []*Value, types map[string]tensor.DType) error {
	if len(actual) < least {
		return fmt.Errorf("%d %ss, want %d: %s", len(actual), what, least, paramNames(formal))
	}
	for i, v := range actual {
		p, ok := paramAt(formal, i)
		if !ok {
			return fmt.Errorf("%d %ss, at most %d are known: %s", len(actual), what, len(formal), paramNames(formal))
		}
		if v == nil {
			if p.option == single {
				return fmt.Errorf("%s %d, %s, is missing", what, i, p.name)
			}
			continue
		}
		if v.DType == tensor.Invalid || p.dtypes == 0 {
			continue
		}
		if p.dtypes>>uint(v.DType)&1 == 0 {
			return fmt.Errorf("%s %s, %q, cannot be %s", what, p.name, v.Name, v.DType)
		}
		if p.typ == "" {
			continue
		}
		if t, ok := types[p.typ]; ok && t != v.DType {
			return fmt.Errorf("%s %s, %q, is %s, others of type %s are %s", what, p.name, v.Name, v.DType, p.typ, t)
		}
		types[p.typ] = v.DType
	}
	return nil
}

func paramAt(formal []param, i int) (param, bool) {
	if i < len(formal) {
		return formal[i], true
	}
	if k := len(formal) - 1; k >= 0 && formal[k].option == variadic {
		return formal[k], true
	}
	return param{}, false
}

func paramNames(formal []param) string {
	names := make([]string, len(formal))
	for i, p := range formal {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}

func (s schema) checkAttrs(n *Node) error {
	given := 0
	for _, a := range s.attrs {
		v, ok := n.Attrs[a.name]
		switch {
		case !ok && a.required:
			return fmt.Errorf("attribute %q is missing", a.name)
		case !ok:
			continue
		case fmt.Sprintf("%T", v) != string(a.kind):
			return fmt.Errorf("attribute %q is %T, want %s", a.name, v, a.kind)
		}
		given++
	}
	if given == len(n.Attrs) {
		return nil
	}
	return fmt.Errorf("attribute %q is not known", unknownAttr(s, n))
}

// unknownAttr returns the first attribute, in alphabetical order, without a schema.
func unknownAttr(s schema, n *Node) string {
	known := map[string]bool{}
	for _, a := range s.attrs {
		known[a.name] = true
	}
	name := ""
	for k := range n.Attrs {
		if !known[k] && (name == "" || k < name) {
			name = k
		}
	}
	return name
}
