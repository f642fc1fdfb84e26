package onnx

import (
	"fmt"
	"slices"
)

// Bind gives symbolic dimensions their sizes, by name, and infers the graph's shapes
// anew. The names stay in g.Symbols, so that the other symbols keep their numbers.
func Bind(g *Graph, sizes map[string]int64) error {
	to := map[int64]int64{}
	for name, size := range sizes {
		i := slices.Index(g.Symbols, name)
		if i < 0 {
			return fmt.Errorf("binding %q: the graph has only the symbols %q", name, []string(g.Symbols))
		}
		if size < 1 {
			return fmt.Errorf("binding %q to %d: not a size", name, size)
		}
		to[-2-int64(i)] = size
	}
	bindGraph(g, to)
	return Infer(g)
}

// bindGraph replaces dimensions in every value, nested graphs included: those whose
// operator inference does not know keep the shape they have.
func bindGraph(g *Graph, to map[int64]int64) {
	for _, v := range slices.Concat(g.Inputs, g.Outputs) {
		v.bind(to)
	}
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			v.bind(to)
		}
		for _, a := range n.Attrs {
			if body, ok := a.(*Graph); ok {
				bindGraph(body, to)
			}
		}
	}
}

func (v *Value) bind(to map[int64]int64) {
	if v == nil {
		return
	}
	v.Shape = slices.Clone(v.Shape) // shapes may be shared between values
	for i, d := range v.Shape {
		if size, ok := to[d]; ok {
			v.Shape[i] = size
		}
	}
}
