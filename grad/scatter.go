package grad

import "trilobite/onnx"

// scatterElementsRule is the gradient of ScatterElements, data X and updates U at I:
//
//	none      dX = dY, and 0 at I    dU = dY at I
//	add       dX = dY                dU = dY at I
//	max, min  dY in equal shares for X and those U that are equal to Y
//
// Where updates overwrite one another, dU is dY for each of them, as in PyTorch. The
// reduction mul has no rule. Checked: testdata/gather.npz, testdata/scatter.npz.
func scatterElementsRule(c *call) error {
	indices, axis := c.n.In[1], c.n.Int("axis", 0)
	return c.scattered(scatter{
		put: func(into, values *onnx.Value, reduction string) *onnx.Value {
			return c.ScatterElements(into, indices, values, axis, reduction)
		},
		at: func(v *onnx.Value) *onnx.Value { return c.GatherElements(v, indices, axis) },
	})
}

// scatterNDRule is the gradient of ScatterND, as scatterElementsRule's. Checked:
// testdata/gather.npz.
func scatterNDRule(c *call) error {
	indices := c.n.In[1]
	return c.scattered(scatter{
		put: func(into, values *onnx.Value, reduction string) *onnx.Value {
			return c.ScatterND(into, indices, values, reduction)
		},
		at: func(v *onnx.Value) *onnx.Value { return c.GatherND(v, indices, 0) },
	})
}

// scatter puts values where the indices say, and picks those that are there.
type scatter struct {
	put func(into, values *onnx.Value, reduction string) *onnx.Value
	at  func(v *onnx.Value) *onnx.Value
}

func (c *call) scattered(s scatter) error {
	x, updates, y, dY := c.n.In[0], c.n.In[2], c.n.Out[0], c.dY[0]
	var dX, dU *onnx.Value
	switch reduction := c.n.Str("reduction", "none"); reduction {
	case "none":
		dX, dU = s.put(dY, c.filled(updates, 0), "none"), s.at(dY)
	case "add":
		dX, dU = dY, s.at(dY)
	case "max", "min":
		ofX, ofU := c.mask(c.Equal(x, y), x), c.mask(c.Equal(updates, s.at(y)), x)
		share := c.Div(dY, s.put(ofX, ofU, "add"))
		dX, dU = c.Mul(share, ofX), c.Mul(s.at(share), ofU)
	default:
		return c.none("reduction %s", reduction)
	}
	if c.wants(0) {
		if err := c.give(0, dX); err != nil {
			return err
		}
	}
	if c.wants(2) {
		return c.give(2, dU)
	}
	return nil
}
