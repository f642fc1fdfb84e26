package onnx

import (
	"maps"
	"slices"
)

// Clone returns a copy of g whose values and nodes are its own, so that rewriting one
// leaves the other. Constants share their elements.
func Clone(g *Graph) *Graph { return cloneGraph(g, map[*Value]*Value{}) }

func cloneGraph(g *Graph, copied map[*Value]*Value) *Graph {
	value := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		c, ok := copied[v]
		if !ok {
			twin := *v
			c, copied[v] = &twin, &twin
			c.Node, c.Shape = nil, slices.Clone(v.Shape)
		}
		return c
	}
	values := func(list []*Value) []*Value {
		out := make([]*Value, len(list))
		for i, v := range list {
			out[i] = value(v)
		}
		return out
	}
	c := *g
	c.Inputs, c.Nodes = values(g.Inputs), make([]*Node, len(g.Nodes))
	c.Meta, c.Domains, c.Symbols = maps.Clone(g.Meta), maps.Clone(g.Domains), slices.Clone(g.Symbols)
	for i, n := range g.Nodes {
		twin := *n
		twin.In, twin.Out, twin.Attrs = values(n.In), values(n.Out), maps.Clone(n.Attrs)
		for _, v := range twin.Out {
			if v != nil {
				v.Node = &twin
			}
		}
		for name, a := range twin.Attrs {
			if body, ok := a.(*Graph); ok {
				twin.Attrs[name] = cloneGraph(body, copied)
			}
		}
		c.Nodes[i] = &twin
	}
	c.Outputs = values(g.Outputs)
	return &c
}
