package onnx

import (
	"errors"
	"fmt"
	"slices"

	"trilobite/tensor"
)

// Check returns the first thing that keeps g from being a valid model of operator set
// Opset, naming the node: a value used before it is computed (so there are no cycles),
// computed twice, or from another graph; names that are not unique; operators, inputs,
// outputs, attributes or element types that the operator set does not know; outputs
// that nothing computes. Bodies are checked with the values around them. Operators of
// other domains are taken on trust. Names of constants need not be unique, Save makes
// them so. Shapes are Infer's part.
func Check(g *Graph) error { return (&checker{}).graph(g, nil) }

// checker follows the values that are known where it is, in a chain of graphs.
type checker struct {
	outer   *checker
	defined map[*Value]bool
	names   map[string]bool
	depth   int

	defaults map[string]*tensor.Tensor // of the graph's inputs
}

func (c *checker) graph(g *Graph, outer *checker) error {
	*c = checker{outer: outer, defined: map[*Value]bool{}, names: map[string]bool{}, defaults: g.Defaults}
	if outer != nil {
		c.depth = outer.depth + 1
	}
	if c.depth > maxBodies {
		return fmt.Errorf("bodies are nested more than %d deep", maxBodies)
	}
	for _, v := range g.Inputs {
		if err := c.input(v); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		if n == nil {
			return errors.New("a node is nil")
		}
		if err := c.node(n); err != nil {
			return fmt.Errorf("%v: %w", n, err)
		}
	}
	return c.outputs(g)
}

func (c *checker) input(v *Value) error {
	switch {
	case v == nil:
		return errors.New("an input is nil")
	case v.IsConst() || v.Node != nil:
		return fmt.Errorf("input %q is a constant or computed by a node", v.Name)
	case c.outer == nil && v.DType == tensor.Invalid:
		return fmt.Errorf("input %q has no element type", v.Name)
	}
	if d := c.defaults[v.Name]; d != nil && (d.DType != v.DType || !slices.Equal(d.Shape, v.Shape)) {
		return fmt.Errorf("input %q is %s%v, its default %s%v", v.Name, v.DType, v.Shape, d.DType, Shape(d.Shape))
	}
	if err := c.define(v); err != nil {
		return fmt.Errorf("input %q: %w", v.Name, err)
	}
	return nil
}

func (c *checker) node(n *Node) error {
	for i, v := range n.In {
		if v == nil {
			continue
		}
		if err := c.usable(v); err != nil {
			return fmt.Errorf("input %d, %q, %w", i, v.Name, err)
		}
	}
	for name, a := range n.Attrs {
		if !isAttr(a) {
			return fmt.Errorf("attribute %q is a %T", name, a)
		}
	}
	if n.Domain == "" {
		s, ok := schemaOf(n.Op)
		if !ok {
			return fmt.Errorf("operator set %d has no such operator", Opset)
		}
		if err := s.check(n); err != nil {
			return err
		}
	}
	for _, body := range n.bodies() {
		if err := (&checker{}).graph(body, c); err != nil {
			return fmt.Errorf("body %q: %w", body.Name, err)
		}
	}
	for i, v := range n.Out {
		if v == nil {
			continue
		}
		if v.Node != n {
			return fmt.Errorf("output %d, %q, belongs to another node", i, v.Name)
		}
		if err := c.define(v); err != nil {
			return fmt.Errorf("output %d, %q: %w", i, v.Name, err)
		}
	}
	return nil
}

// usable tells whether a node here may use v.
func (c *checker) usable(v *Value) error {
	if v.IsConst() {
		if v.Data.DType != v.DType || !slices.Equal(v.Data.Shape, v.Shape) {
			return fmt.Errorf("is a constant %s%v that claims to be %s%v", v.Data.DType, Shape(v.Data.Shape), v.DType, v.Shape)
		}
		return nil
	}
	for s := c; s != nil; s = s.outer {
		if s.defined[v] {
			return nil
		}
	}
	return errors.New("is not computed before it is used: the nodes are out of order or form a cycle, or it is of another graph")
}

// define enters a value that an input or a node provides.
func (c *checker) define(v *Value) error {
	switch {
	case v.Name == "":
		return errors.New("no name")
	case c.defined[v]:
		return errors.New("provided twice")
	case c.names[v.Name]:
		return errors.New("the name is taken")
	}
	c.defined[v], c.names[v.Name] = true, true
	return nil
}

func (c *checker) outputs(g *Graph) error {
	if len(g.Outputs) == 0 {
		return fmt.Errorf("graph %q has no output", g.Name)
	}
	seen := map[string]bool{}
	for i, v := range g.Outputs {
		if v == nil {
			return fmt.Errorf("output %d is nil", i)
		}
		if seen[v.Name] {
			return fmt.Errorf("output %q is given twice", v.Name)
		}
		seen[v.Name] = true
		if err := c.usable(v); err != nil {
			return fmt.Errorf("output %q %w", v.Name, err)
		}
	}
	return nil
}
