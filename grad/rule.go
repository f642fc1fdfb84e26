package grad

import (
	"fmt"
	"slices"

	"trilobite/onnx"
)

// rule derives one operator. Of its inputs, the first ones (all, if the number is 0)
// are differentiable; the others, shapes and indices, have no derivative and that is
// no error. An input that has a derivative which the rule does not know is counted,
// and the rule returns c.none() where it is wanted.
type rule struct {
	derive func(c *call) error
	inputs int
}

// call is one node's turn: a rule reads c.n and c.dY, builds nodes and gives each
// wanted input its derivative.
type call struct {
	*walk

	n  *onnx.Node
	dY []*onnx.Value // per output; nil where none arrives
}

// wants reports whether the derivative by input i is asked for.
func (c *call) wants(i int) bool {
	v := c.n.Input(i)
	return v != nil && c.needed[v]
}

// give adds dX, of the input's shape, to what has arrived at input i.
func (c *call) give(i int, dX *onnx.Value) error {
	x := c.n.In[i]
	if c.Err() != nil {
		return c.Err()
	}
	if dX.Shape.Static() && x.Shape.Static() && !slices.Equal(dX.Shape, x.Shape) {
		return fmt.Errorf("%s: derivative %v of input %d, which is %v", c.n, dX.Shape, i, x.Shape)
	}
	if have := c.grads[x]; have != nil {
		dX = c.Add(have, dX)
	}
	c.grads[x] = dX
	return nil
}

// giveSum is give for an input that may have been stretched by broadcasting: dX is
// of the output's shape, and is added up over the axes along which input i was repeated.
func (c *call) giveSum(i int, dX *onnx.Value) error {
	sum, err := c.unbroadcast(dX, c.n.In[i])
	if err != nil {
		return err
	}
	return c.give(i, sum)
}

// maxElements bounds the constants that rules form: 64 MB of float32.
const maxElements = 1 << 24

// fits reports whether sizes are known and a constant of them may be formed.
func fits(sizes ...[]int64) bool {
	n := int64(1)
	for _, s := range slices.Concat(sizes...) {
		if s < 0 || s > maxElements || n*s > maxElements {
			return false
		}
		n *= max(s, 1)
	}
	return true
}

// product is the number of elements of sizes that fit.
func product(sizes []int64) int64 {
	p := int64(1)
	for _, s := range sizes {
		p *= s
	}
	return p
}

// none is the error of a use of the operator that the rule does not cover.
func (c *call) none(what string, args ...any) error {
	return fmt.Errorf("%s, %s: %w", c.n, fmt.Sprintf(what, args...), ErrNoRule)
}

// unary makes a rule of a function from dY to dX, for operators whose first input
// alone is differentiable.
func unary(dX func(c *call, x, y, dY *onnx.Value) *onnx.Value) func(c *call) error {
	return func(c *call) error { return c.give(0, dX(c, c.n.In[0], c.n.Out[0], c.dY[0])) }
}
