package onnx

import (
	"fmt"

	"trilobite/tensor"
)

// editor knows who uses what in a graph while a rewrite changes it.
type editor struct {
	g       *Graph
	users   map[*Value]map[*Node]int // how often each node reads a value, nested graphs included
	kept    map[*Value]bool          // outputs of the graph and of nested ones
	names   map[string]bool
	removed map[*Node]bool
}

func newEditor(g *Graph) *editor {
	e := &editor{g: g, users: map[*Value]map[*Node]int{}, kept: map[*Value]bool{}, names: map[string]bool{}, removed: map[*Node]bool{}}
	e.read(g)
	return e
}

func (e *editor) read(g *Graph) {
	for _, v := range g.Inputs {
		e.names[v.Name] = true
	}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v != nil {
				e.addUse(v, n)
				e.names[v.Name] = true
			}
		}
		for _, v := range n.Out {
			if v != nil {
				e.names[v.Name] = true
			}
		}
		for _, a := range n.Attrs {
			if body, ok := a.(*Graph); ok {
				e.read(body)
			}
		}
	}
	for _, v := range g.Outputs {
		e.kept[v] = true
		e.names[v.Name] = true
	}
}

// only returns the producer of v if it is a node of one of the given operators whose
// one output is used once, here, and is no output of the graph; else nil.
func (e *editor) only(v *Value, ops ...string) *Node {
	if v == nil || v.Node == nil || e.removed[v.Node] || !e.once(v) || len(v.Node.Out) != 1 {
		return nil
	}
	for _, op := range ops {
		if v.Node.Op == op && v.Node.Domain == "" {
			return v.Node
		}
	}
	return nil
}

// once reports whether v is read exactly once, and by a node.
func (e *editor) once(v *Value) bool {
	for _, count := range e.users[v] {
		return len(e.users[v]) == 1 && count == 1 && !e.kept[v]
	}
	return false
}

// setConstant makes input i of n a constant, which keeps the name of the constant
// there if no other node reads that one.
func (e *editor) setConstant(n *Node, i int, t *tensor.Tensor) {
	base := fmt.Sprintf("%s_in%d", n.Name, i)
	if old := n.Input(i); old != nil {
		base = old.Name
		if e.once(old) {
			delete(e.names, base)
		}
	}
	name := base
	for k := 1; e.names[name]; k++ {
		name = fmt.Sprintf("%s_%d", base, k)
	}
	e.names[name] = true
	e.setInput(n, i, constant(name, t))
}

// setInput makes v input i of n.
func (e *editor) setInput(n *Node, i int, v *Value) {
	for len(n.In) <= i {
		n.In = append(n.In, nil)
	}
	if old := n.In[i]; old != nil {
		e.dropUse(old, n)
	}
	n.In[i] = v
	if v != nil {
		e.addUse(v, n)
	}
}

func (e *editor) addUse(v *Value, n *Node) {
	if e.users[v] == nil {
		e.users[v] = map[*Node]int{}
	}
	e.users[v][n]++
}

func (e *editor) dropUse(v *Value, n *Node) {
	switch count := e.users[v][n]; count {
	case 0, 1:
		delete(e.users[v], n)
	default:
		e.users[v][n] = count - 1
	}
}

// bypass lets the users of n's first output read v instead and removes n. It does
// nothing and returns false where n is needed: an output of the graph is known by
// its name, so it must be produced by a node that can take the name on.
func (e *editor) bypass(n *Node, v *Value) bool {
	old := n.Out[0]
	if e.kept[old] {
		at := e.outputAt(old)
		if at < 0 || v.Node == nil || e.kept[v] {
			return false
		}
		e.g.Outputs[at] = v
		v.Name = old.Name
		delete(e.kept, old)
		e.kept[v] = true
	}
	e.redirect(old, v)
	e.remove(n)
	return true
}

// redirect lets the readers of old read v.
func (e *editor) redirect(old, v *Value) {
	for u := range e.users[old] {
		for i, in := range u.In {
			if in == old {
				u.In[i] = v
				e.addUse(v, u)
			}
		}
	}
	delete(e.users, old)
}

// outputAt returns the place of v among the graph's outputs; -1 if it is there more
// than once or belongs to a nested graph.
func (e *editor) outputAt(v *Value) int {
	at := -1
	for i, o := range e.g.Outputs {
		if o == v && at >= 0 {
			return -1
		} else if o == v {
			at = i
		}
	}
	return at
}

// absorb removes n, whose work its producer p does from now on: p takes over n's
// output with its name and users.
func (e *editor) absorb(p, n *Node) {
	p.Out = n.Out
	for _, v := range p.Out {
		v.Node = p
	}
	e.remove(n)
}

// remove takes n out of the graph at the next sweep.
func (e *editor) remove(n *Node) {
	for _, v := range n.In {
		if v != nil {
			e.dropUse(v, n)
		}
	}
	e.removed[n] = true
}

// sweep drops the removed nodes.
func (e *editor) sweep() {
	if len(e.removed) == 0 {
		return
	}
	var left []*Node
	for _, n := range e.g.Nodes {
		if !e.removed[n] {
			left = append(left, n)
		}
	}
	e.g.Nodes = left
}
