package tfjs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"trilobite/tensor"
)

// Attrs are a node's attributes: int64, float64, bool, string, tensor.DType, []int64
// (a shape, or a list of integers), []float64 or []string. Others, such as the value
// of a Const, which TensorFlow.js keeps with the weights, are left out.
type Attrs map[string]any

// Int returns an integer attribute, or def.
func (a Attrs) Int(name string, def int64) int64 { return get(a, name, def) }

// Float returns a float attribute, or def.
func (a Attrs) Float(name string, def float64) float64 { return get(a, name, def) }

// Bool returns a boolean attribute, or def.
func (a Attrs) Bool(name string, def bool) bool { return get(a, name, def) }

// Str returns a string attribute, or def.
func (a Attrs) Str(name, def string) string { return get(a, name, def) }

// Ints returns a list of integers, or nil.
func (a Attrs) Ints(name string) []int64 { return get[[]int64](a, name, nil) }

// Strs returns a list of strings, or nil.
func (a Attrs) Strs(name string) []string { return get[[]string](a, name, nil) }

// DType returns a type attribute, or def.
func (a Attrs) DType(name string, def tensor.DType) tensor.DType { return get(a, name, def) }

func get[T any](a Attrs, name string, def T) T {
	if v, ok := a[name].(T); ok {
		return v
	}
	return def
}

// attrJSON is tensorflow.AttrValue (attr_value.proto) in either spelling that
// converters have written: integers as numbers or strings, bytes as base64 or as a
// list of byte values, enums by number or by name.
type attrJSON struct {
	S     json.RawMessage `json:"s"`
	I     json.RawMessage `json:"i"`
	F     json.RawMessage `json:"f"`
	B     *bool           `json:"b"`
	Type  json.RawMessage `json:"type"`
	Shape *shapeJSON      `json:"shape"`
	List  *struct {
		S []json.RawMessage `json:"s"`
		I []json.RawMessage `json:"i"`
		F []json.RawMessage `json:"f"`
	} `json:"list"`
}

type shapeJSON struct {
	Dim []struct {
		Size json.RawMessage `json:"size"`
	} `json:"dim"`
	UnknownRank bool `json:"unknownRank"`
}

func parseAttrs(in map[string]json.RawMessage) (Attrs, error) {
	out := make(Attrs, len(in))
	for name, raw := range in {
		var a attrJSON
		if err := json.Unmarshal(raw, &a); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		v, err := a.value()
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		if v != nil {
			out[name] = v
		}
	}
	return out, nil
}

func (a *attrJSON) value() (any, error) {
	switch {
	case a.S != nil:
		return parseBytes(a.S)
	case a.I != nil:
		return parseInt(a.I)
	case a.F != nil:
		return parseFloat(a.F)
	case a.B != nil:
		return *a.B, nil
	case a.Type != nil:
		return parseDType(a.Type)
	case a.Shape != nil:
		return a.Shape.dims()
	case a.List == nil:
		return nil, nil
	case len(a.List.I) > 0:
		return each(a.List.I, parseInt)
	case len(a.List.F) > 0:
		return each(a.List.F, parseFloat)
	case len(a.List.S) > 0:
		return each(a.List.S, parseBytes)
	default:
		return nil, nil
	}
}

func each[T any](in []json.RawMessage, parse func(json.RawMessage) (T, error)) ([]T, error) {
	out := make([]T, len(in))
	for i, raw := range in {
		var err error
		if out[i], err = parse(raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseInt(raw json.RawMessage) (int64, error) {
	s := string(raw)
	if len(s) >= 2 && s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40s is not an integer", raw)
	}
	return v, nil
}

func parseFloat(raw json.RawMessage) (float64, error) {
	s := string(raw)
	if len(s) >= 2 && s[0] == '"' { // "NaN", "Infinity"
		s = s[1 : len(s)-1]
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, fmt.Errorf("%.40s is not a number", raw)
	}
	return v, nil
}

// parseBytes reads a bytes field: base64 text, or a list of byte values.
func parseBytes(raw json.RawMessage) (string, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", fmt.Errorf("%.40q is not base64", text)
		}
		return string(b), nil
	}
	var list []int
	if err := json.Unmarshal(raw, &list); err != nil {
		return "", fmt.Errorf("%.40s is not a string", raw)
	}
	b := make([]byte, len(list))
	for i, v := range list {
		b[i] = byte(v)
	}
	return string(b), nil
}

// dtypes are TensorFlow's types by number (types.proto). The _REF variants do not occur in frozen graphs.
var dtypes = map[int64]tensor.DType{
	1: tensor.Float32, 2: tensor.Float64, 3: tensor.Int32, 4: tensor.Uint8, 5: tensor.Int16, 6: tensor.Int8,
	7: tensor.String, 9: tensor.Int64, 10: tensor.Bool, 17: tensor.Uint16, 19: tensor.Float16, 22: tensor.Uint32, 23: tensor.Uint64,
}

var dtypeNames = map[string]int64{
	"DT_FLOAT": 1, "DT_DOUBLE": 2, "DT_INT32": 3, "DT_UINT8": 4, "DT_INT16": 5, "DT_INT8": 6, "DT_STRING": 7,
	"DT_INT64": 9, "DT_BOOL": 10, "DT_UINT16": 17, "DT_HALF": 19, "DT_UINT32": 22, "DT_UINT64": 23,
}

// parseDType returns tensor.Invalid for types that no supported operation uses, such as DT_RESOURCE.
func parseDType(raw json.RawMessage) (tensor.DType, error) {
	var name string
	if err := json.Unmarshal(raw, &name); err == nil {
		if n, ok := dtypeNames[name]; ok {
			return dtypes[n], nil
		}
		if _, err := strconv.Atoi(name); err != nil {
			return tensor.Invalid, nil //nolint:nilerr // the name of a type, not a number
		}
	}
	n, err := parseInt(raw)
	return dtypes[n], err
}

// dims returns nil for an unknown rank and an empty list for a scalar.
func (s *shapeJSON) dims() ([]int64, error) {
	if s.UnknownRank {
		return []int64(nil), nil
	}
	out := make([]int64, len(s.Dim))
	for i, d := range s.Dim {
		if len(d.Size) == 0 { // proto3 leaves zeros out
			continue
		}
		var err error
		if out[i], err = parseInt(d.Size); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// signatureJSON names a model's inputs and outputs, as a SavedModel's SignatureDef.
type signatureJSON struct {
	Inputs  signatureSide `json:"inputs"`
	Outputs signatureSide `json:"outputs"`
}

type signatureSide map[string]struct {
	Name  string     `json:"name"`
	Shape *shapeJSON `json:"tensorShape"`
}

func (s signatureSide) tensors() []Tensor {
	var out []Tensor
	for key, t := range s {
		e := Tensor{Key: key, Name: t.Name}
		if e.Name == "" {
			e.Name = key
		}
		if t.Shape != nil {
			e.Shape, _ = t.Shape.dims() // a malformed shape is an unknown one
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Tensor) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return out
}
