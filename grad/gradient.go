// Package grad differentiates ONNX graphs.
//
// Gradient takes a forward graph with a scalar loss and appends to it the nodes that
// compute the loss's derivative with respect to chosen values, in standard ONNX
// operators only: any ONNX Runtime can train with the result, no training build.
//
// Nodes are visited in reverse topological order; each node's rule turns dY, the
// derivative of the loss by its output, into dX for its inputs (reverse mode; Griewank
// and Walther, Evaluating Derivatives, chapter 3). Only what leads from a chosen value
// to the loss is visited, so nothing is formed for what is frozen. Start at Gradient,
// then read any rule: arithmetic.go, matmul.go, layout.go, as ONNX groups them;
// rules.go lists them all.
//
// The batch may stay symbolic. Rules that need other sizes say so and fail with an
// error that names the node; onnx.Bind fixes them. Control flow is not differentiated.
// Graphs that onnx.Simplify has rewritten have lost their parameters: differentiate
// first.
package grad

import (
	"errors"
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// ErrNoRule says that the loss depends on a chosen value through an operator, or a
// use of one, that this package cannot differentiate. The error that wraps it names
// the node and its operator.
var ErrNoRule = errors.New("no gradient rule")

// Gradient appends to g the nodes that compute the derivative of loss, one element of
// a float type, by each value of wrt, and returns the derivatives in the order of wrt,
// each of its value's type and shape. Values of wrt are inputs, constants or computed
// values of g, of a float type; where the loss does not depend on one, its derivative
// is zeros. The graph's inputs and outputs stay as they are.
//
// On an error g is left without new nodes.
func Gradient(g *onnx.Graph, loss *onnx.Value, wrt []*onnx.Value) ([]*onnx.Value, error) {
	if err := onnx.Infer(g); err != nil {
		return nil, fmt.Errorf("differentiating %s: %w", g.Name, err)
	}
	if err := onnx.Check(g); err != nil { // rules rely on inputs and attributes being there
		return nil, fmt.Errorf("differentiating %s: %w", g.Name, err)
	}
	if err := checkEnds(g, loss, wrt); err != nil {
		return nil, fmt.Errorf("differentiating %s: %w", g.Name, err)
	}
	forward := len(g.Nodes)
	w := &walk{Builder: onnx.Extend(g), g: g, needed: needed(g, wrt), grads: map[*onnx.Value]*onnx.Value{}, uses: Uses(g)}
	for _, v := range wrt {
		w.uses[v]++
	}
	dX, err := w.run(slices.Clone(g.Nodes), loss, wrt)
	if err != nil {
		g.Nodes = g.Nodes[:forward]
		return nil, fmt.Errorf("differentiating %s: %w", g.Name, err)
	}
	return dX, nil
}

// Uses counts how often nodes and outputs of g, and graphs nested in them, read each value.
func Uses(g *onnx.Graph) map[*onnx.Value]int {
	uses := map[*onnx.Value]int{}
	for _, v := range g.Outputs {
		uses[v]++
	}
	for _, n := range g.Nodes {
		for _, v := range slices.Concat(n.In, Captured(n)) {
			uses[v]++
		}
	}
	return uses
}

// checkEnds checks the values between which derivatives are asked for.
func checkEnds(g *onnx.Graph, loss *onnx.Value, wrt []*onnx.Value) error {
	known := map[*onnx.Value]bool{}
	for _, v := range g.Inputs {
		known[v] = true
	}
	for _, n := range g.Nodes {
		for _, v := range slices.Concat(n.In, n.Out) {
			known[v] = true
		}
	}
	switch {
	case loss == nil || !known[loss]:
		return errors.New("the loss is no value of the graph")
	case !isFloat(loss):
		return fmt.Errorf("loss %q is %s, want a float type", loss.Name, loss.DType)
	case !loss.Shape.Static() || tensor.Size(loss.Shape) != 1:
		return fmt.Errorf("loss %q has shape %v, want one element", loss.Name, loss.Shape)
	}
	for _, v := range wrt {
		if v == nil {
			return errors.New("a nil value has no derivative")
		}
		if !isFloat(v) {
			return fmt.Errorf("%q is %s, only float types have derivatives", v.Name, v.DType)
		}
	}
	return nil
}

// walk is one pass from the loss back to the values of interest.
type walk struct {
	*onnx.Builder

	g      *onnx.Graph
	needed map[*onnx.Value]bool
	grads  map[*onnx.Value]*onnx.Value // what has arrived so far at each value
	uses   map[*onnx.Value]int         // of each value by forward nodes, as an output or in wrt
	// through is goThrough, for rules, which that reads.
	through func(nodes []*onnx.Node) error
}

func (w *walk) run(nodes []*onnx.Node, loss *onnx.Value, wrt []*onnx.Value) ([]*onnx.Value, error) {
	w.through = w.goThrough
	w.grads[loss] = w.filled(loss, 1)
	for _, n := range slices.Backward(nodes) {
		if err := w.visit(n); err != nil {
			return nil, err
		}
		if err := w.Err(); err != nil {
			return nil, fmt.Errorf("gradient of %s: %w", n, err)
		}
	}
	dX := make([]*onnx.Value, len(wrt))
	for i, v := range wrt {
		if dX[i] = w.grads[v]; dX[i] == nil {
			dX[i] = w.filled(v, 0)
		}
	}
	return dX, w.Err()
}

// goThrough hands derivatives on through nodes that a rule has added.
func (w *walk) goThrough(nodes []*onnx.Node) error {
	spread(nodes, w.needed)
	for _, n := range slices.Backward(nodes) {
		if err := w.visit(n); err != nil {
			return err
		}
	}
	return nil
}

// visit hands the derivatives that have arrived at n's outputs on to its inputs.
func (w *walk) visit(n *onnx.Node) error {
	c := &call{walk: w, n: n, dY: make([]*onnx.Value, len(n.Out))}
	arrived := false
	for i, v := range n.Out {
		if w.needed[v] && w.grads[v] != nil {
			c.dY[i], arrived = w.grads[v], true
		}
	}
	if !arrived || !feeds(n, w.needed) {
		return nil
	}
	r, ok := ruleOf(n)
	if !ok {
		return fmt.Errorf("%s: %w", n, ErrNoRule)
	}
	return r.derive(c)
}

// isFloat reports whether v's elements are real numbers.
func isFloat(v *onnx.Value) bool {
	switch v.DType {
	case tensor.Float16, tensor.BFloat16, tensor.Float32, tensor.Float64:
		return true
	default:
		return false
	}
}
