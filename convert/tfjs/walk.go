package tfjs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"trilobite/onnx"
	"trilobite/tensor"
)

// converter is the state of one conversion. Rules record their first error in err
// and go on with values of which nothing is known.
type converter struct {
	b      *onnx.Builder
	model  *Model
	nodes  map[string]*Node
	values map[ref]*operand // converted so far
	uses   map[ref]int      // readers of a tensor among the planned steps and the outputs
	names  map[string]bool  // constants' names
	source map[int64]source // where the size of a symbolic dimension can be read
	err    error
}

// ref names a tensor: an output of a node.
type ref struct {
	node string
	out  int
}

func (r ref) String() string { return fmt.Sprintf("%s:%d", r.node, r.out) }

func parseRef(name string) ref {
	node, out := split(name)
	return ref{node, out}
}

// step is a node with its data inputs resolved.
type step struct {
	*Node
	in []ref
}

func newConverter(m *Model, name string) *converter {
	if name == "" {
		name = "tfjs"
	}
	c := &converter{
		b: onnx.NewBuilder(name), model: m, nodes: map[string]*Node{}, values: map[ref]*operand{}, uses: map[ref]int{},
		names: map[string]bool{}, source: map[int64]source{},
	}
	for _, n := range m.Nodes {
		c.nodes[n.Name] = n
	}
	return c
}

// defaultOutputs are the signature's outputs, else every tensor that no node reads.
func (c *converter) defaultOutputs() []Output {
	var out []Output
	for _, t := range c.model.Outputs {
		out = append(out, Output{Name: t.Name})
	}
	if len(out) > 0 {
		return out
	}
	read := map[string]bool{}
	for _, n := range c.model.Nodes {
		for _, in := range n.In {
			read[parseRef(strings.TrimPrefix(in, "^")).node] = true
		}
	}
	for _, n := range c.model.Nodes {
		if !read[n.Name] && n.Op != "NoOp" && n.Op != "Placeholder" && n.Op != "Const" {
			out = append(out, Output{Name: n.Name})
		}
	}
	return out
}

// defaultInputs are the placeholders that the outputs depend on.
func (c *converter) defaultInputs(outputs []Output) []Input {
	seen := map[string]bool{}
	var stack []string
	for _, o := range outputs {
		stack = append(stack, parseRef(o.Name).node)
	}
	for len(stack) > 0 {
		name := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n := c.nodes[name]; n != nil && !seen[name] {
			seen[name] = true
			for _, r := range dataInputs(n) {
				stack = append(stack, r.node)
			}
		}
	}
	var in []Input
	for _, n := range c.model.Nodes {
		if seen[n.Name] && strings.HasPrefix(n.Op, "Placeholder") {
			in = append(in, Input{Name: n.Name})
		}
	}
	return in
}

// input declares an input of the graph.
func (c *converter) input(in Input) error {
	r := parseRef(in.Name)
	n := c.nodes[r.node]
	switch {
	case n == nil:
		return errors.New("the model has no such node")
	case c.values[r] != nil:
		return errors.New("given twice")
	}
	if in.Shape == nil {
		in.Shape = get[[]int64](n.Attrs, "shape", nil)
		if in.Shape == nil {
			return errors.New("its shape is not known and must be given")
		}
	}
	if in.DType == tensor.Invalid {
		in.DType = n.Attrs.DType("dtype", tensor.Float32)
	}
	if in.As == "" {
		in.As = r.String()
	}
	if len(in.Shape) > maxRank {
		return fmt.Errorf("shape %v has more than %d axes", in.Shape, maxRank)
	}
	names := []string{"N", "D1", "D2", "D3", "D4", "D5", "D6", "D7"}
	if len(in.Shape) == 4 {
		names = []string{"N", "H", "W", "C"}
	}
	shape := make(onnx.Shape, len(in.Shape))
	for i, d := range in.Shape {
		switch {
		case d >= 0:
			shape[i] = d
		case d == -1:
			shape[i] = c.b.Dim(names[i])
		default:
			return fmt.Errorf("shape %v has an impossible axis", in.Shape)
		}
	}
	o := &operand{}
	v := &o.v
	if len(shape) == 4 {
		v, shape = &o.image, toNCHW(shape)
	}
	*v = c.b.Input(in.As, in.DType, shape)
	for i, d := range shape {
		if _, ok := c.source[d]; d < onnx.Unknown && !ok {
			c.source[d] = source{*v, int64(i)}
		}
	}
	c.values[r] = o
	return c.b.Err()
}

// output declares an output of the graph.
func (c *converter) output(out Output) error {
	r := c.resolve(parseRef(out.Name))
	o := c.values[r]
	if o == nil {
		return errors.New("the node has no such output")
	}
	if out.As == "" {
		out.As = parseRef(out.Name).String()
	}
	v := o.image
	if !out.NCHW || v == nil {
		v = c.plain(o)
	}
	c.b.Output(out.As, v)
	return errors.Join(c.err, c.b.Err())
}

// plan returns the nodes that the outputs depend on, inputs first, and counts the
// readers of each tensor. A cycle, which only a loop of the model can be, is an error.
func (c *converter) plan(outputs []Output) ([]*step, error) {
	const (
		open = 1
		done = 2
	)
	var order []*step
	state := map[string]int{}
	type frame struct {
		s    *step
		next int
	}
	var stack []frame
	push := func(r ref) error {
		if c.values[r] != nil || state[r.node] == done {
			return nil
		}
		n := c.nodes[r.node]
		if n == nil {
			return fmt.Errorf("the model has no node %q", r.node)
		}
		if state[r.node] == open {
			return fmt.Errorf("%s %q is part of a loop; give a tensor behind it as an input", n.Op, n.Name)
		}
		state[r.node] = open
		s := &step{Node: n}
		for _, in := range dataInputs(n) {
			s.in = append(s.in, c.resolve(in))
		}
		stack = append(stack, frame{s: s})
		return nil
	}
	for _, out := range outputs {
		r := c.resolve(parseRef(out.Name))
		c.uses[r]++
		if err := push(r); err != nil {
			return nil, fmt.Errorf("output %q: %w", out.Name, err)
		}
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.next == len(f.s.in) {
				state[f.s.Name] = done
				order = append(order, f.s)
				stack = stack[:len(stack)-1]
				continue
			}
			in := f.s.in[f.next]
			f.next++
			c.uses[in]++
			if err := push(in); err != nil {
				return nil, fmt.Errorf("input of %s %q: %w", f.s.Op, f.s.Name, err)
			}
		}
	}
	return order, nil
}

// resolve follows operations that do nothing at inference to the tensor they pass on.
func (c *converter) resolve(r ref) ref {
	for range c.model.Nodes { // more steps than that are a cycle
		n := c.nodes[r.node]
		if n == nil || c.values[r] != nil {
			return r
		}
		in := dataInputs(n)
		switch {
		case slices.Contains([]string{"Identity", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot"}, n.Op) && len(in) > 0 && r.out == 0:
			r = in[0]
		case n.Op == "IdentityN" && r.out < len(in):
			r = in[r.out]
		default:
			return r
		}
	}
	return r
}

// dataInputs leaves out control dependencies, which order side effects.
func dataInputs(n *Node) []ref {
	var in []ref
	for _, name := range n.In {
		if !strings.HasPrefix(name, "^") {
			in = append(in, parseRef(name))
		}
	}
	return in
}

// convert applies the rule of a node.
func (c *converter) convert(s *step) error {
	rule := ruleOf(s.Op)
	if rule == nil {
		return errors.New("the operation is not supported")
	}
	out := rule(c, s)
	if err := errors.Join(c.err, c.b.Err()); err != nil {
		return err
	}
	for i, o := range out {
		r := ref{s.Name, i}
		if o == nil {
			continue
		}
		o.uses = c.uses[r]
		c.values[r] = o
	}
	return nil
}

// name gives values the names of the tensors they are. Outputs have names, and theirs
// are taken.
func (c *converter) name(steps []*step, g *onnx.Graph) {
	taken := map[string]bool{}
	for _, v := range slices.Concat(g.Inputs, g.Outputs) {
		taken[v.Name] = true
	}
	for _, s := range steps {
		for i := range maxPieces {
			r := ref{s.Name, i}
			o := c.values[r]
			if o == nil {
				break
			}
			v := o.image
			if v == nil {
				v = o.v
			}
			if v != nil && v.Node != nil && !taken[r.String()] && !slices.Contains(g.Outputs, v) {
				c.b.Name(v, r.String())
			}
		}
	}
}

// failf records the first error of a rule.
func (c *converter) failf(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// in returns input i of a step.
func (c *converter) in(s *step, i int) *operand {
	if i < 0 || i >= len(s.in) {
		c.failf("input %d is missing", i)
		return &operand{v: &onnx.Value{}}
	}
	o := c.values[s.in[i]]
	if o == nil {
		c.failf("input %d: %s does not exist", i, s.in[i])
		return &operand{v: &onnx.Value{}}
	}
	return o
}

// constant declares a constant under a name of its own, as near to name as is free.
func (c *converter) constant(name string, t *tensor.Tensor) *onnx.Value {
	for c.names[name] {
		name += "'"
	}
	c.names[name] = true
	return c.b.Const(name, t)
}
