package nn

import (
	"errors"
	"fmt"

	"trilobite/onnx"
)

// errForeign says why a node cannot be copied.
var errForeign = errors.New("control flow and operators of other domains cannot be part of a backbone")

// graft copies parts of a network into another, on the image of that one.
type graft struct {
	source *Network
	module *Module // takes the copies, under its prefix
	params map[*onnx.Value]bool
	copied map[*onnx.Value]*onnx.Value
	done   map[*onnx.Node]bool
}

// newGraft copies from source to m; in the copies, x stands for the image.
func newGraft(source *Network, m *Module, x *onnx.Value) *graft {
	f := &graft{source, m, map[*onnx.Value]bool{}, map[*onnx.Value]*onnx.Value{source.Graph.Inputs[0]: x}, map[*onnx.Node]bool{}}
	for _, p := range source.Params {
		f.params[p] = true
	}
	return f
}

// build copies what v depends on and returns the copy. What has been copied before is
// shared. Shapes are inferred anew, since an image may be of another size than the source's.
func (f *graft) build(v *onnx.Value) *onnx.Value {
	m := f.module
	wanted := ancestors(v)
	for _, n := range f.source.Graph.Nodes {
		if !wanted[n] || f.done[n] {
			continue
		}
		f.done[n] = true
		if foreign(n) {
			m.Fail(fmt.Errorf("%s: %s: %w", f.source.Graph.Name, n, errForeign))
			break
		}
		in := make([]*onnx.Value, len(n.In))
		for i, x := range n.In {
			in[i] = f.copy(n, x)
		}
		for i, y := range m.Op(n.Op, in, n.Attrs, len(n.Out)) {
			if n.Out[i] != nil {
				f.copied[n.Out[i]] = m.Mark(n.Out[i].Name, y)
			}
		}
	}
	if f.copied[v] == nil {
		return &onnx.Value{} // after an error, which the Builder has
	}
	return f.copied[v]
}

// copy returns the counterpart of an input of n: a copied value, a parameter, or a
// constant, which shares its elements.
func (f *graft) copy(n *onnx.Node, x *onnx.Value) *onnx.Value {
	if x == nil || f.copied[x] != nil {
		return f.copied[x]
	}
	m := f.module
	if !x.IsConst() {
		m.Fail(fmt.Errorf("%s: %s reads %q, which no tap may depend on", f.source.Graph.Name, n, x.Name))
		return &onnx.Value{}
	}
	c := m.Const(m.prefix+x.Name, x.Data)
	if f.params[x] {
		m.state.params = append(m.state.params, c)
	}
	if init := f.source.init[x]; init != nil {
		m.state.init[c] = init
	}
	f.copied[x] = c
	return c
}

// ancestors returns the nodes that v depends on.
func ancestors(v *onnx.Value) map[*onnx.Node]bool {
	seen := map[*onnx.Node]bool{}
	stack := []*onnx.Value{v}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if v == nil || v.Node == nil || seen[v.Node] {
			continue
		}
		seen[v.Node] = true
		stack = append(stack, v.Node.In...)
	}
	return seen
}

// foreign reports whether a node is more than an operator of ONNX on values.
func foreign(n *onnx.Node) bool {
	for _, a := range n.Attrs {
		if _, ok := a.(*onnx.Graph); ok {
			return true
		}
	}
	return n.Domain != ""
}
