package onnx

import (
	"fmt"
	"slices"

	"trilobite/tensor"
)

// Keep makes an output of g the given places of one of its axes alone, in their order, and
// the graph no longer computes the others: the layers that make them lose the weights for
// them. It reports false, and changes nothing, where an operator on the way does not say
// which of its input makes what, or where something else reads the whole.
//
// Exact bit for bit: the numbers that stay are sums of what they were sums of.
func Keep(g *Graph, output string, axis int, places []int64) (bool, error) {
	at := slices.IndexFunc(g.Outputs, func(v *Value) bool { return v.Name == output })
	if at < 0 {
		return false, fmt.Errorf("keeping places of output %q: there is none", output)
	}
	size := int64(0)
	if s := g.Outputs[at].Shape; axis >= 0 && axis < len(s) {
		size = s[axis]
	}
	if len(places) == 0 || slices.ContainsFunc(places, func(p int64) bool { return p < 0 || p >= size }) {
		return false, fmt.Errorf("keeping places %v of axis %d of output %q, which is %s", places, axis, output, g.Outputs[at].Shape)
	}
	k := newKeeper(g)
	y := k.value(g.Outputs[at], axis, places)
	if y == nil {
		return false, nil
	}
	g.Outputs[at] = y
	k.finish()
	shareConstants(newEditor(g))
	return true, Infer(g)
}

// keeper makes the nodes that compute some places of an axis in the place of those that
// compute all. The graph is as it was until finish.
type keeper struct {
	e    *editor
	anew map[*Node]*Node // by the node in whose place it comes
	more map[*Node]*Node // what a new node needs before it
}

func newKeeper(g *Graph) *keeper {
	return &keeper{newEditor(g), map[*Node]*Node{}, map[*Node]*Node{}}
}

// finish puts the new nodes into the graph.
func (k *keeper) finish() {
	var nodes []*Node
	for _, n := range k.e.g.Nodes {
		if m := k.anew[n]; m != nil {
			n = m
		}
		if before := k.more[n]; before != nil {
			nodes = append(nodes, before)
		}
		nodes = append(nodes, n)
	}
	k.e.g.Nodes = nodes
	RemoveDead(k.e.g)
}

// value returns the places of an axis of v, made by a new node; nil where that is not known
// to be less work.
func (k *keeper) value(v *Value, axis int, places []int64) *Value {
	if v == nil || v.Node == nil {
		return nil
	}
	n := v.Node
	only := k.e.kept[v] && len(k.e.users[v]) == 0 && k.e.outputAt(v) >= 0 || k.e.once(v)
	if n.Domain != "" || len(n.Out) != 1 || !only || axis >= len(v.Shape) {
		return nil
	}
	m := &Node{Name: n.Name, Op: n.Op, In: slices.Clone(n.In), Attrs: n.Attrs}
	if !k.narrow(m, v.Shape, axis, places) {
		return nil
	}
	y := &Value{Name: v.Name, DType: v.DType, Shape: slices.Clone(v.Shape), Node: m}
	y.Shape[axis] = int64(len(places))
	m.Out = []*Value{y}
	k.anew[n] = m
	return y
}

// narrow lets m, whose output was of shape y, make the places of an axis alone.
func (k *keeper) narrow(m *Node, y Shape, axis int, places []int64) bool {
	switch {
	case pointwiseOps[m.Op]:
		return k.input(m, 0, axis, places)
	case m.Op == "Concat":
		joined, err := axisOf(m.Int("axis", 0), len(y))
		ok := err == nil && joined != axis
		for i := range m.In {
			ok = ok && k.input(m, i, axis, places)
		}
		return ok
	case m.Op == "Transpose":
		perm, err := permOf(m.Ints("perm"), len(y))
		return err == nil && k.input(m, 0, int(perm[axis]), places)
	case m.Op == "Slice":
		return k.slice(m, axis, places)
	case m.Op == "Reshape":
		return k.reshape(m, y, axis, places)
	case m.Op == "Conv":
		return axis == 1 && k.conv(m, y[1], places)
	default:
		return false
	}
}

// input lets m read the places of an axis of its input i.
func (k *keeper) input(m *Node, i, axis int, places []int64) bool {
	m.In[i] = k.value(m.In[i], axis, places)
	return m.In[i] != nil
}

// conv leaves of a Conv's m channels the places. One that works on each channel by itself
// has fewer to read, too: where others need its input whole, they are gathered for it.
func (k *keeper) conv(n *Node, m int64, places []int64) bool {
	x := n.In[0]
	each := n.Int("group", 1) == m && m > 1 && len(x.Shape) > 1 && x.Shape[1] == m
	if n.Int("group", 1) != 1 && !each || !k.rows(n, 1, places) || n.Input(2) != nil && !k.rows(n, 2, places) {
		return false
	}
	if !each {
		return true
	}
	setAttr(n, "group", int64(len(places)))
	if n.In[0] = k.value(x, 1, places); n.In[0] == nil {
		k.more[n] = k.gather(x, places)
		n.In[0] = k.more[n].Out[0]
	}
	return true
}

// gather reads channels of what others need whole.
func (k *keeper) gather(x *Value, places []int64) *Node {
	name := k.e.fresh(x.Name + "/kept")
	n := &Node{
		Name: name, Op: "Gather", In: []*Value{x, constant(k.e.fresh(name+"_places"), tensor.Vector(places...))}, Attrs: map[string]any{"axis": int64(1)},
	}
	y := &Value{Name: name, DType: x.DType, Shape: slices.Clone(x.Shape), Node: n}
	y.Shape[1] = int64(len(places))
	n.Out = []*Value{y}
	return n
}

// rows lets m read the rows of its constant input i that are kept.
func (k *keeper) rows(m *Node, i int, places []int64) bool {
	all := m.Input(i)
	if all == nil || !all.IsConst() || len(all.Shape) == 0 {
		return false
	}
	kept := make([]*tensor.Tensor, len(places))
	for j, p := range places {
		if p >= all.Shape[0] {
			return false
		}
		kept[j] = all.Data.Row(p)
	}
	joined, err := tensor.Join(kept...)
	if err != nil {
		return false
	}
	m.In[i] = constant(k.e.fresh(all.Name+"/kept"), joined)
	return true
}

// slice leaves a Slice of other axes as it is; one of this axis alone has nothing more to do.
func (k *keeper) slice(m *Node, axis int, places []int64) bool {
	x := inShape(m, 0)
	cuts, known, err := cutsOf(m, len(x))
	if !known || err != nil {
		return false
	}
	mine := slices.IndexFunc(cuts, func(c cut) bool { return c.axis == axis })
	if mine < 0 {
		return k.input(m, 0, axis, places)
	}
	c := cuts[mine]
	if len(cuts) > 1 || c.start.dim || c.end.dim || x[axis] < 0 {
		return false
	}
	start, _ := c.bounds(x[axis])
	m.Op, m.In, m.Attrs = "Identity", m.In[:1], nil
	return k.input(m, 0, axis, mapSlice(places, func(p int64) int64 { return start + p*c.step }))
}

// reshape follows the axis to the one of the input whose last factor it is: the channels of
// a Conv, say, which are anchors times classes.
func (k *keeper) reshape(m *Node, y Shape, axis int, places []int64) bool {
	x, size := inShape(m, 0), y[axis]
	to, ok := numbersOf(m.Input(1))
	from := lastFactor(x, size, y[axis+1:])
	if !ok || from < 0 || len(to) != len(y) || from < len(to) && from != axis && to[from] == 0 { // 0 copies a size
		return false
	}
	var all []int64
	for outer := range x[from] / size {
		for _, p := range places {
			all = append(all, outer*size+p)
		}
	}
	to = slices.Clone(to)
	to[axis] = int64(len(places))
	m.In[1] = constant(k.e.fresh(m.In[1].Name+"/kept"), tensor.Vector(to...))
	return k.input(m, 0, from, all)
}

// lastFactor returns the axis of x whose last factor is size, where the axes inner come
// behind it; -1 if there is none.
func lastFactor(x Shape, size int64, inner []int64) int {
	behind := productOf(inner...).dim()
	for i := len(x) - 1; i >= 0 && size > 0 && behind > 0; i-- {
		if productOf(x[i+1:]...).dim() == behind && x[i] >= size && x[i]%size == 0 {
			return i
		}
	}
	return -1
}
