package onnx

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"trilobite/tensor"
)

// Builder writes a graph node by node, one method per operator. Every value it
// returns has a type and as much of a shape as can be known, since shapes are
// inferred as nodes are added.
//
// The first error stops the work and is reported by Graph; the methods called after
// it return values that nothing is known of, so that code that builds a network reads
// as the network, without an error check per layer.
type Builder struct {
	g     *Graph
	syms  *Symbols        // of the outermost graph
	taken map[string]bool // names of values and nodes
	count map[string]int  // last number used after each base name
	auto  map[*Value]bool // values that nobody has named
	err   error
}

// NewBuilder returns a builder of an empty graph.
func NewBuilder(name string) *Builder {
	return builderOf(&Graph{Name: name}, map[string]bool{})
}

// Extend returns a builder that appends to g, whose values it may use.
func Extend(g *Graph) *Builder {
	b := builderOf(g, map[string]bool{})
	b.take(g)
	return b
}

// take takes the names of g and of the graphs nested in it.
func (b *Builder) take(g *Graph) {
	for _, v := range g.Inputs {
		b.taken[v.Name] = true
	}
	for _, n := range g.Nodes {
		b.taken[n.Name] = true
		for _, v := range slices.Concat(n.In, n.Out) {
			if v != nil {
				b.taken[v.Name] = true
			}
		}
		for _, body := range n.bodies() {
			b.take(body)
		}
	}
}

// Body returns a builder of a graph that will be an attribute of one of b's nodes: a
// branch of If, the body of Loop or Scan. It may use b's values, and shares b's symbols
// and names. Its Graph is checked together with b's.
func (b *Builder) Body(name string) *Builder {
	return &Builder{g: &Graph{Name: name}, syms: b.syms, taken: b.taken, count: b.count, auto: b.auto}
}

// builderOf returns a builder that appends to g and avoids the names taken.
func builderOf(g *Graph, taken map[string]bool) *Builder {
	return &Builder{g: g, syms: &g.Symbols, taken: taken, count: map[string]int{}, auto: map[*Value]bool{}}
}

// Err returns the first error, or nil.
func (b *Builder) Err() error { return b.err }

// Fail records an error of code that builds on b, such as a layer whose input has the
// wrong rank; like b's own errors, the first one counts.
func (b *Builder) Fail(err error) { b.fail(err) }

// Graph returns the graph, checked, or the first error met while it was built.
func (b *Builder) Graph() (*Graph, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.syms != &b.g.Symbols {
		return b.g, nil // a body
	}
	if err := Check(b.g); err != nil {
		return nil, fmt.Errorf("graph %q: %w", b.g.Name, err)
	}
	return b.g, nil
}

// Dim returns the dimension that stands for a symbol such as "N".
func (b *Builder) Dim(name string) int64 { return b.syms.Dim(name) }

// Meta sets an entry of the model's metadata.
func (b *Builder) Meta(key, value string) {
	if b.g.Meta == nil {
		b.g.Meta = map[string]string{}
	}
	b.g.Meta[key] = value
}

// Input declares an input of the graph.
func (b *Builder) Input(name string, dtype tensor.DType, shape Shape) *Value {
	v := &Value{Name: name, DType: dtype, Shape: shape}
	if b.claim("input", name) {
		b.g.Inputs = append(b.g.Inputs, v)
	}
	return v
}

// Output makes v an output of the graph under the given name. A value that nobody
// has named takes the name; any other passes through an Identity.
func (b *Builder) Output(name string, v *Value) *Value {
	if b.err != nil {
		return v
	}
	if v == nil {
		b.fail(fmt.Errorf("output %q is nil", name))
		return v
	}
	mine := v.Node != nil && v.Name == name && !slices.Contains(b.g.Outputs, v)
	if !mine && !b.auto[v] {
		v = b.Identity(v)
	}
	b.Name(v, name)
	if b.err == nil {
		b.g.Outputs = append(b.g.Outputs, v)
	}
	return v
}

// Name gives v a name of the caller's choosing and returns v.
func (b *Builder) Name(v *Value, name string) *Value {
	if b.err != nil || v.Name == name {
		return v
	}
	if b.claim("value", name) {
		delete(b.taken, v.Name)
		delete(b.auto, v)
		v.Name = name
	}
	return v
}

// Const declares a constant; an empty name is filled in.
func (b *Builder) Const(name string, t *tensor.Tensor) *Value {
	if t == nil {
		b.fail(fmt.Errorf("constant %q is nil", name))
		return &Value{Name: name}
	}
	if name == "" {
		name = b.unique("const")
	}
	b.claim("constant", name)
	return constant(name, t)
}

// Op adds a node of any operator of ONNX's own domain and returns its outputs. An
// optional input that is left out is nil. It is what the typed methods are made of.
func (b *Builder) Op(op string, in []*Value, attrs map[string]any, outputs int) []*Value {
	out := make([]*Value, outputs)
	for i := range out {
		out[i] = &Value{}
	}
	if b.err != nil {
		return out
	}
	for len(in) > 0 && in[len(in)-1] == nil {
		in = in[:len(in)-1]
	}
	n := &Node{Name: b.unique(op), Op: op, In: slices.Clone(in), Out: out, Attrs: maps.Clone(attrs)}
	b.taken[n.Name] = true
	for name, v := range n.Attrs {
		if !isAttr(v) {
			b.fail(fmt.Errorf("%s %q: attribute %s is a %T", op, n.Name, name, v))
			return out
		}
	}
	for i, v := range out {
		v.Name, v.Node = n.Name+"_out", n
		if i > 0 {
			v.Name = fmt.Sprintf("%s%d", v.Name, i)
		}
		if b.taken[v.Name] {
			v.Name = b.unique(v.Name)
		}
		b.taken[v.Name], b.auto[v] = true, true
	}
	if err := inferNode(n, b.syms); err != nil {
		b.fail(err)
		return out
	}
	b.g.Nodes = append(b.g.Nodes, n)
	return out
}

// op adds a node of one output.
func (b *Builder) op(op string, attrs map[string]any, in ...*Value) *Value {
	return b.Op(op, in, attrs, 1)[0]
}

// fail records the first error.
func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// claim takes a name chosen by the caller and reports whether it was free.
func (b *Builder) claim(what, name string) bool {
	switch {
	case b.err != nil:
		return false
	case name == "":
		b.fail(errors.New(what + " without a name"))
		return false
	case b.taken[name]:
		b.fail(fmt.Errorf("%s %q: the name is taken", what, name))
		return false
	}
	b.taken[name] = true
	return true
}

// unique returns a free name, base and a number.
func (b *Builder) unique(base string) string {
	for {
		b.count[base]++
		if name := fmt.Sprintf("%s_%d", base, b.count[base]); !b.taken[name] {
			return name
		}
	}
}

func constant(name string, t *tensor.Tensor) *Value {
	shape := append(Shape{}, t.Shape...)
	return &Value{Name: name, DType: t.DType, Shape: shape, Data: t}
}

// isAttr reports whether v is of a type that Node.Attrs may hold.
func isAttr(v any) bool {
	switch v.(type) {
	case int64, float32, string, []int64, []float32, []string, *tensor.Tensor, *Graph:
		return true
	default:
		return false
	}
}
