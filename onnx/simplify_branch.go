package onnx

import (
	"fmt"
	"slices"
)

// takeBranches puts, for an If whose condition is known, the branch that is taken in its
// place. PyTorch's exporter writes an If for each squeeze of an axis whose size it does not
// know, which shapes tell afterwards.
//
// Exact. Saves the branch, and lets the others see what is in it.
func takeBranches(e *editor) bool {
	changed := false
	for _, n := range slices.Clone(e.g.Nodes) {
		if n.Op != "If" || n.Domain != "" || n.Input(0) == nil {
			continue
		}
		truth := literal(n.In[0])
		if truth == nil || truth.Len() != 1 {
			continue
		}
		taken, ok := truth.Raw().([]bool)
		if !ok {
			continue
		}
		name := "else_branch"
		if taken[0] {
			name = "then_branch"
		}
		if body, ok := n.Attrs[name].(*Graph); ok && len(body.Outputs) == len(n.Out) && len(body.Inputs) == 0 {
			e.inline(n, body)
			changed = true
		}
	}
	return changed
}

// inline puts body's nodes in place of n, under names of their own, and an Identity for each
// of n's outputs.
func (e *editor) inline(n *Node, body *Graph) {
	unique := func(base string) string {
		name := base
		for k := 1; e.names[name]; k++ {
			name = fmt.Sprintf("%s_%d", base, k)
		}
		e.names[name] = true
		return name
	}
	nodes := slices.Clone(body.Nodes)
	for _, m := range nodes {
		m.Name = unique(n.Name + "/" + m.Name)
		for _, v := range m.Out {
			if v != nil {
				v.Name = unique(n.Name + "/" + v.Name)
			}
		}
	}
	for i, v := range n.Out {
		if v == nil {
			continue
		}
		same := &Node{Name: unique(n.Name + "/Identity"), Op: "Identity", In: []*Value{body.Outputs[i]}, Out: []*Value{v}, Attrs: map[string]any{}}
		v.Node = same
		nodes = append(nodes, same)
	}
	at := slices.Index(e.g.Nodes, n)
	e.g.Nodes = slices.Replace(e.g.Nodes, at, at+1, nodes...)
}
