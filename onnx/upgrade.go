package onnx

import (
	"fmt"
	"slices"

	"trilobite/tensor"
)

// upgrader rewrites nodes of operator set from to Opset. Only operators whose inputs,
// attributes or meaning changed need a rule; the others changed at most the element
// types they accept (onnx/docs/Changelog.md).
type upgrader struct {
	from int64
	b    *Builder // appends to the graph or body at hand
	used map[*Value]bool
}

// upgrade brings g, read from a file of operator set from, to Opset, and infers the
// type and shape of every value on the way, since some rules need ranks. What the file
// declares fills the gaps that inference leaves. names are all the names in use.
func upgrade(g *Graph, from int64, names map[string]bool) error {
	u := &upgrader{from: from, b: builderOf(g, names), used: map[*Value]bool{}}
	u.use(g)
	return u.graph(g)
}

func (u *upgrader) graph(g *Graph) error {
	outer := u.b.g
	u.b.g = g
	defer func() { u.b.g = outer }()
	nodes := g.Nodes
	g.Nodes = make([]*Node, 0, len(nodes))
	for _, n := range nodes {
		for _, body := range n.bodies() {
			if err := u.graph(body); err != nil {
				return err
			}
		}
		if err := u.node(n); err != nil {
			return err
		}
	}
	return nil
}

func (u *upgrader) node(n *Node) error {
	if n.Domain == "" {
		for _, r := range upgradesOf(n.Op) {
			if u.from >= r.version {
				continue
			}
			if err := r.apply(u, n); err != nil {
				return fmt.Errorf("%v: upgrading from operator set %d to %d: %w", n, u.from, r.version, err)
			}
		}
	}
	if u.b.err != nil {
		return u.b.err
	}
	if err := inferDeclared(n, u.b.syms); err != nil {
		return err
	}
	u.b.g.Nodes = append(u.b.g.Nodes, n)
	return nil
}

// use records the values that nodes and outputs of g use.
func (u *upgrader) use(g *Graph) {
	for _, v := range g.Outputs {
		u.used[v] = true
	}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			u.used[v] = true
		}
		for _, body := range n.bodies() {
			u.use(body)
		}
	}
}

// inferDeclared infers n's outputs and fills what stays unknown from what was known.
func inferDeclared(n *Node, syms *Symbols) error {
	declared := make([]Value, len(n.Out))
	for i, v := range n.Out {
		if v != nil {
			declared[i] = Value{DType: v.DType, Shape: v.Shape}
		}
	}
	if err := inferNode(n, syms); err != nil {
		return err
	}
	for i, v := range n.Out {
		if v == nil {
			continue
		}
		was := declared[i]
		if v.DType == tensor.Invalid {
			v.DType = was.DType
		}
		if v.Shape == nil {
			v.Shape = was.Shape
		}
		if len(v.Shape) == len(was.Shape) && slices.Contains(v.Shape, Unknown) {
			v.Shape = slices.Clone(v.Shape)
			for k, d := range v.Shape {
				if d == Unknown {
					v.Shape[k] = was.Shape[k]
				}
			}
		}
	}
	return nil
}

// setInput makes v input i of n.
func (n *Node) setInput(i int, v *Value) {
	for len(n.In) <= i {
		n.In = append(n.In, nil)
	}
	n.In[i] = v
}
