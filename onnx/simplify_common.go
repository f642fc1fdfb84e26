package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shareNodes lets the readers of a node read an earlier one with the same operator,
// attributes and inputs, and so computes common subexpressions once. Nodes with bodies,
// random ones and those that give an output of the graph stay.
//
// Exact bit for bit. Saves the node, and keeps its result in memory until the last reader.
func shareNodes(e *editor) bool {
	changed := false
	first := map[string]*Node{}
	for _, n := range e.g.Nodes {
		key, ok := e.likeness(n)
		if !ok || e.removed[n] {
			continue
		}
		same := first[key]
		if same == nil {
			first[key] = n
			continue
		}
		for i, v := range n.Out {
			if v != nil {
				e.redirect(v, same.Out[i])
			}
		}
		e.remove(n)
		changed = true
	}
	return changed
}

// likeness is equal for nodes that compute the same; ok is false where that is not known.
func (e *editor) likeness(n *Node) (key string, ok bool) {
	if strings.HasPrefix(n.Op, "Random") || n.Op == "Bernoulli" || n.Op == "Multinomial" || n.Op == "Dropout" {
		return "", false
	}
	var s strings.Builder
	fmt.Fprint(&s, n.Domain, " ", n.Op)
	for _, v := range n.In {
		fmt.Fprintf(&s, " %p", v)
	}
	for _, v := range n.Out {
		if v != nil && e.kept[v] {
			return "", false
		}
		fmt.Fprint(&s, " ", v != nil)
	}
	for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
		switch a := n.Attrs[name].(type) {
		case int64, float32, string, []int64, []float32, []string:
			fmt.Fprintf(&s, " %s=%q", name, fmt.Sprint(a))
		default:
			return "", false
		}
	}
	return s.String(), true
}
