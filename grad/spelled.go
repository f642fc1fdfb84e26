package grad

import (
	"fmt"
	"slices"

	"trilobite/onnx"
)

// spelled makes a rule of an operator's definition in operators that have rules: its
// results are computed once more that way, and the derivatives go back through them. The
// operator itself stays; of the second computation Simplify and ONNX Runtime drop what no
// derivative reads.
//
// define appends nodes and returns the outputs, in their order.
func spelled(define func(c *call) ([]*onnx.Value, error)) func(c *call) error {
	return func(c *call) error {
		start := len(c.g.Nodes)
		outs, err := define(c)
		if err != nil {
			return err
		}
		if err := c.Err(); err != nil {
			return err
		}
		added := slices.Clone(c.g.Nodes[start:])
		for i, dY := range c.dY {
			if dY == nil {
				continue
			}
			if have := c.grads[outs[i]]; have != nil {
				dY = c.Add(have, dY)
			}
			c.grads[outs[i]] = dY
		}
		if err := c.through(added); err != nil {
			return fmt.Errorf("%s: %w", c.n, err)
		}
		return nil
	}
}
