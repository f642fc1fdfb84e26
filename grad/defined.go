package grad

import "trilobite/onnx"

// Operators that are differentiated through their definitions. Checked:
// testdata/defined.npz.

// lrn is LRN over X (N, C, …):
//
//	Y = X / (bias + alpha/size · Σ X²)^beta
//
// summed over the channels c − ⌊(size−1)/2⌋ to c + ⌈(size−1)/2⌉ that there are. The
// number of channels must be known.
func lrn(c *call) ([]*onnx.Value, error) {
	x, size := c.n.In[0], c.n.Int("size", 1)
	if len(x.Shape) < 2 || x.Shape[1] < 0 || size < 1 || size > 1+2*x.Shape[1] {
		return nil, c.none("size %d of %v", size, x.Shape)
	}
	pads := make([]int64, 2*len(x.Shape))
	pads[1], pads[len(x.Shape)+1] = (size-1)/2, size/2
	padded := c.Pad(c.Mul(x, x), pads...)
	var sum *onnx.Value
	for i := range size {
		part := c.Slice(padded, []int64{1}, []int64{i}, []int64{i + x.Shape[1]})
		if sum == nil {
			sum = part
		} else {
			sum = c.Add(sum, part)
		}
	}
	alpha := float64(c.n.Float("alpha", 1e-4)) / float64(size)
	base := c.Add(c.scaled(sum, alpha), c.like(x, float64(c.n.Float("bias", 1))))
	return []*onnx.Value{c.Div(x, c.Pow(base, c.like(x, float64(c.n.Float("beta", 0.75)))))}, nil
}

// Shrink, Y = X + bias below −lambd, X − bias above lambd, 0 between: dX is dY outside.
func shrinkGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	lambda := float64(c.n.Float("lambd", 0.5))
	outside := c.Or(c.Less(x, c.like(x, -lambda)), c.Greater(x, c.like(x, lambda)))
	return c.Mul(dY, c.mask(outside, x))
}

// modRule is the gradient of Mod of floats (fmod of C): Y = A − B·k with the whole number
// k = trunc(A/B), hence
//
//	dA = dY    dB = −dY·k
func modRule(c *call) error {
	a, b, y, dY := c.n.In[0], c.n.In[1], c.n.Out[0], c.dY[0]
	if c.wants(0) {
		if err := c.giveSum(0, dY); err != nil {
			return err
		}
	}
	if !c.wants(1) {
		return nil
	}
	return c.giveSum(1, c.Neg(c.Mul(dY, c.Round(c.Div(c.Sub(a, y), b)))))
}

// meanVariance is MeanVarianceNormalization: Y = (X − mean) / (deviation + 1e-9) over axes.
// Source: ONNX's function body of the operator.
func meanVariance(c *call) ([]*onnx.Value, error) {
	x, axes := c.n.In[0], c.n.Ints("axes")
	if axes == nil {
		axes = []int64{0, 2, 3}
	}
	off := c.Sub(x, c.ReduceMeanKeep(x, axes...))
	deviation := c.Sqrt(c.ReduceMeanKeep(c.Mul(off, off), axes...))
	return []*onnx.Value{c.Div(off, c.Add(deviation, c.like(x, 1e-9)))}, nil
}
