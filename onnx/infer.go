package onnx

import (
	"errors"
	"fmt"

	"trilobite/tensor"
)

// Infer computes the type and shape of every value that a node of g produces, from
// the inputs and constants on, and forgets what was known before. Values whose
// operator it does not know (another domain, say) keep the type and shape they have.
// The first contradiction is returned, naming its node, operator and shapes.
func Infer(g *Graph) error { return inferGraph(g, &g.Symbols) }

func inferGraph(g *Graph, syms *Symbols) error {
	for _, n := range g.Nodes {
		if err := inferNode(n, syms); err != nil {
			return err
		}
	}
	return nil
}

// inferNode sets the type, the shape and, for small tensors that describe shapes,
// the elements of n's outputs from its inputs and attributes. Dimensions that follow
// from nothing known are Unknown. Outputs of unknown operators are left alone.
func inferNode(n *Node, syms *Symbols) error {
	if n.Domain != "" && n.Domain != "ai.onnx" {
		return nil
	}
	rule := inferRule(n.Op)
	if rule == nil {
		return nil
	}
	for _, v := range n.Out {
		if v != nil {
			v.DType, v.Shape, v.elems = tensor.Invalid, nil, nil
		}
	}
	err := rule(n, syms)
	if err == nil {
		err = inferElems(n)
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", n.Op, n.Name, err)
	}
	return nil
}

// A shapeRule infers the outputs of one family of operators. Rules survive any node:
// missing inputs and outputs, unknown ranks, attributes out of range.
type shapeRule func(n *Node, syms *Symbols) error

// inferRule finds the rule of an operator of ONNX's own domain; nil if there is none.
func inferRule(op string) shapeRule {
	for _, family := range []func(string) shapeRule{
		elementwiseRule, windowRule, matmulRule, layoutRule, joinRule, indexRule,
		reduceRule, normRule, recurrentRule, resizeRule, createRule, quantizeRule, controlRule, sequenceRule,
	} {
		if r := family(op); r != nil {
			return r
		}
	}
	return nil
}

// inType returns the element type of input i; Invalid if omitted or unknown.
func inType(n *Node, i int) tensor.DType {
	if v := n.Input(i); v != nil {
		return v.DType
	}
	return tensor.Invalid
}

// inShape returns the shape of input i; nil if omitted or of unknown rank.
func inShape(n *Node, i int) Shape {
	if v := n.Input(i); v != nil {
		return v.Shape
	}
	return nil
}

// setOut records the type and shape of output i, if the node has one.
func setOut(n *Node, i int, t tensor.DType, s Shape) {
	if i < len(n.Out) && n.Out[i] != nil {
		n.Out[i].DType, n.Out[i].Shape = t, s
	}
}

// sameTypes checks that the inputs of known type among those at the given places
// have one type, and returns it.
func sameTypes(n *Node, inputs ...int) (tensor.DType, error) {
	t := tensor.Invalid
	for _, i := range inputs {
		switch u := inType(n, i); {
		case u == tensor.Invalid || u == t:
		case t == tensor.Invalid:
			t = u
		default:
			return t, fmt.Errorf("inputs are of types %v and %v", t, u)
		}
	}
	return t, nil
}

var errNoInput = errors.New("a required input is missing")

// need checks that the first k inputs are present.
func need(n *Node, k int) error {
	for i := range k {
		if n.Input(i) == nil {
			return fmt.Errorf("input %d: %w", i, errNoInput)
		}
	}
	return nil
}
