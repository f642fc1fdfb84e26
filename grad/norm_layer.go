package grad

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Normalisations of a sample by itself, Y = scale · X̂ + bias with
// X̂ = (X − mean)·r and r = 1 / √(variance + epsilon), mean and variance being those of
// the axes that each normalises over. With G = dY·scale and means over those axes
//
//	dX = r·(G − mean(G) − X̂·mean(G·X̂))    dScale = Σ dY·X̂    dBias = Σ dY
//
// the sums over the axes along which scale and bias are repeated. X̂ and r are computed
// once more, by one LayerNormalization over the last axes of X, reshaped: their sizes
// must be known. Checked: testdata/norm_layer.npz.

// layerNormRule is the gradient of LayerNormalization (Ba et al., arXiv:1607.06450),
// over the axes from axis to the last.
func layerNormRule(c *call) error {
	if c.dY[0] == nil || slices.ContainsFunc(c.dY[1:], func(v *onnx.Value) bool { return v != nil }) {
		return c.none("by its mean or deviation")
	}
	x := c.n.In[0]
	if x.Shape == nil {
		return c.none("unknown rank of %q", x.Name)
	}
	return c.selfNorm(x, c.axis(c.n.Int("axis", -1), x), c.n.In[1], c.n.Input(2))
}

// instanceNormRule is the gradient of InstanceNormalization (Ulyanov et al.,
// arXiv:1607.08022), X (N, C, …), scale and bias (C), over the axes behind C.
func instanceNormRule(c *call) error {
	x := c.n.In[0]
	if len(x.Shape) < 3 {
		return c.none("shape %v", x.Shape)
	}
	return c.selfNorm(x, 2, c.perChannel(1), c.perChannel(2))
}

// groupNormRule is the gradient of GroupNormalization (Wu and He, arXiv:1803.08494),
// X (N, C, …), scale and bias (C), over groups of channels and the axes behind C.
func groupNormRule(c *call) error {
	x := c.n.In[0]
	groups := c.n.Int("num_groups", 1)
	if len(x.Shape) < 3 || !fits(x.Shape[1:]) || groups < 1 {
		return c.none("%v: bind all sizes but the batch", x.Shape)
	}
	return c.selfNorm(c.Reshape(x, 0, groups, product(x.Shape[1:])/groups), 2, c.perChannel(1), c.perChannel(2))
}

// perChannel is an input (C) as (C, 1, …), which broadcasts over X (N, C, …).
func (c *call) perChannel(i int) *onnx.Value {
	shape := slices.Repeat([]int64{1}, len(c.n.In[0].Shape)-1)
	shape[0] = -1
	return c.Reshape(c.n.In[i], shape...)
}

// selfNorm gives the derivatives; rows is X in a shape whose axes from axis on are
// normalised, scale and bias broadcast over X.
func (c *call) selfNorm(rows *onnx.Value, axis int, scale, bias *onnx.Value) error {
	x, dY := c.n.In[0], c.dY[0]
	sizes := rows.Shape[axis:]
	if !fits(sizes) {
		return c.none("%v: bind the normalised axes", x.Shape)
	}
	ones, err := constantOf(x.DType, sizes, slices.Repeat([]float64{1}, int(product(sizes))))
	if err != nil {
		return c.none("%s", x.DType)
	}
	out := c.Op("LayerNormalization", []*onnx.Value{rows, c.Const("", ones)},
		map[string]any{"axis": int64(axis), "epsilon": c.n.Float("epsilon", 1e-5)}, 3)
	normal, r := out[0], out[2]
	if x.DType != tensor.Float32 {
		r = c.Cast(r, x.DType)
	}
	if c.wants(0) {
		g := c.Mul(dY, scale)
		if rows != x {
			g = c.reshapedLike(g, rows)
		}
		axes := count(int64(axis), len(sizes))
		tilt := c.Mul(normal, c.ReduceMeanKeep(c.Mul(g, normal), axes...))
		dX := c.Mul(c.Sub(c.Sub(g, c.ReduceMeanKeep(g, axes...)), tilt), r)
		if rows != x {
			dX = c.reshapedLike(dX, x)
		}
		if err := c.give(0, dX); err != nil {
			return err
		}
	}
	if c.wants(1) {
		if rows != x {
			normal = c.reshapedLike(normal, x)
		}
		if err := c.giveShaped(1, c.Mul(dY, normal), scale); err != nil {
			return err
		}
	}
	if c.wants(2) {
		return c.giveShaped(2, dY, bias)
	}
	return nil
}

// giveShaped is giveSum for an input that was used in another shape, as v.
func (c *call) giveShaped(i int, dX, v *onnx.Value) error {
	sum, err := c.unbroadcast(dX, v)
	if err != nil {
		return err
	}
	if v != c.n.In[i] {
		sum = c.reshapedLike(sum, c.n.In[i])
	}
	return c.give(i, sum)
}

// lpNormRule is the gradient of LpNormalization, Y = X / ‖X‖ along an axis:
//
//	p = 2    dX = (dY − Y·ΣdY·Y) / ‖X‖
//	p = 1    dX = (dY − sign X·ΣdY·Y) / ‖X‖
//
// A norm of 0 counts as 1e-30. Checked: testdata/norm_layer.npz.
func lpNormRule(c *call) error {
	x, y, dY, axis := c.n.In[0], c.n.Out[0], c.dY[0], c.n.Int("axis", -1)
	size, along := c.ReduceL2Keep(x, axis), y
	if c.n.Int("p", 2) == 1 {
		size, along = c.ReduceSumKeep(c.Abs(x), axis), c.Sign(x)
	}
	tilt := c.Mul(along, c.ReduceSumKeep(c.Mul(dY, y), axis))
	return c.give(0, c.Div(c.Sub(dY, tilt), c.Max(size, c.like(x, 1e-30))))
}
