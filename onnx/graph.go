// Package onnx holds ONNX models as graphs in memory: nodes, values and constants
// that Go code can read, build, check, infer shapes for, simplify and write.
//
// Every graph is of one operator set, Opset: Load upgrades older files, so builder,
// rules and output know a single spelling of each operator. Start at Graph, then
// Builder; load.go and save.go cross to the file format, whose generated types stay in
// internal/onnxpb. The package computes nothing: ort runs graphs.
//
// Spelling follows the ONNX specification: operators, attributes, single capital
// letters for tensors.
package onnx

import (
	"fmt"

	"trilobite/tensor"
)

// Opset is the version of the default operator set that every Graph uses.
const Opset = 22

// Graph is a model: Inputs go in, Outputs come out, Nodes compute, in topological
// order, each value produced once. Constants are values with Data; they hang on the
// nodes that use them and are collected when the graph is saved.
type Graph struct {
	Name    string
	Doc     string
	Inputs  []*Value
	Outputs []*Value
	Nodes   []*Node
	Meta    map[string]string // metadata_props
	Symbols Symbols           // names of symbolic dimensions; a body uses the outermost graph's

	// Defaults holds, by name, what inputs are when the caller gives nothing: initializers
	// of the file that are inputs too. Load makes constants of such inputs.
	Defaults map[string]*tensor.Tensor

	// Registered holds the names of the parameters and buffers that the model had in
	// PyTorch, whose newer exporter lists them; nil where the file does not say.
	Registered map[string]bool

	// Domains gives the versions of the operator sets other than ONNX's own.
	Domains map[string]int64
}

// Value is a tensor of a graph, known by type and shape, or by its elements when it
// is a constant.
type Value struct {
	Name  string
	DType tensor.DType // tensor.Invalid: unknown
	Shape Shape        // nil: unknown rank
	Data  *tensor.Tensor
	Node  *Node // the producer; nil for inputs and constants

	// Initializer tells the initializers of the file that Load read from its Constant
	// nodes: the former are a model's weights, the latter numbers in its code.
	Initializer bool
	// FoldedFrom names, for an initializer that PyTorch's newer exporter computed from
	// others, what went into it.
	FoldedFrom []string

	elems []num // a computed small tensor's elements, where inference knows them; see elems.go
}

// IsConst reports whether the value's elements are known.
func (v *Value) IsConst() bool { return v.Data != nil }

// Node applies one operator. An omitted optional input is a nil entry of In.
type Node struct {
	Name   string
	Op     string
	Domain string // "" is ONNX's own
	In     []*Value
	Out    []*Value
	Attrs  map[string]any // int64, float32, string, []int64, []float32, []string, *tensor.Tensor, *Graph
}

// String returns the operator and the name, as errors show a node: Conv "stem".
func (n *Node) String() string { return fmt.Sprintf("%s %q", n.Op, n.Name) }

// Int returns an integer attribute, or def where it is absent or of another type.
func (n *Node) Int(name string, def int64) int64 { return attr(n, name, def) }

// Float returns a float attribute, or def.
func (n *Node) Float(name string, def float32) float32 { return attr(n, name, def) }

// Str returns a string attribute, or def.
func (n *Node) Str(name, def string) string { return attr(n, name, def) }

// Ints returns an integer list attribute, or def.
func (n *Node) Ints(name string, def ...int64) []int64 { return attr(n, name, def) }

// Floats returns a float list attribute, or def.
func (n *Node) Floats(name string, def ...float32) []float32 { return attr(n, name, def) }

// Strs returns a list of strings, nil if it is absent.
func (n *Node) Strs(name string) []string { return attr(n, name, []string(nil)) }

// Input returns input i, or nil where it is omitted.
func (n *Node) Input(i int) *Value {
	if i < len(n.In) {
		return n.In[i]
	}
	return nil
}

func attr[T any](n *Node, name string, def T) T {
	if v, ok := n.Attrs[name].(T); ok {
		return v
	}
	return def
}
