package onnx

import "slices"

// removeDead drops nodes that nobody reads, from the outputs backwards.
//
// Exact: ONNX operators have no effect but their outputs. Saves the nodes.
func removeDead(e *editor) bool {
	changed := false
	for _, n := range slices.Backward(e.g.Nodes) {
		used := false
		for _, v := range n.Out {
			used = used || v != nil && (e.kept[v] || len(e.users[v]) > 0)
		}
		if !used {
			e.remove(n)
			for _, a := range n.Attrs {
				if body, ok := a.(*Graph); ok {
					e.dropUses(body)
				}
			}
			changed = true
		}
	}
	return changed
}

// dropUses forgets what a nested graph that goes reads.
func (e *editor) dropUses(g *Graph) {
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v != nil {
				e.dropUse(v, n)
			}
		}
		for _, a := range n.Attrs {
			if body, ok := a.(*Graph); ok {
				e.dropUses(body)
			}
		}
	}
}
