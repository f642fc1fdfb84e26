package grad

// dropoutRule is the gradient of Dropout where it passes X on: outside training mode, or
// with ratio 0, dX = dY. A mask that ONNX Runtime draws for itself cannot be drawn
// again, so training mode has no rule. Checked: testdata/layout_2.npz.
func dropoutRule(c *call) error {
	if ratio, ok := number(c.n.Input(1)); ok && ratio == 0 {
		return c.give(0, c.dY[0])
	}
	training := c.n.Input(2)
	if training != nil {
		if on, ok := training.Ints(); !ok || len(on) != 1 || on[0] != 0 {
			return c.none("in training mode: set its ratio to 0, or multiply by a mask that is an input made from a seed")
		}
	}
	return c.give(0, c.dY[0])
}
