package grad

import (
	"fmt"

	"trilobite/onnx"
)

// Reductions over axes. dY and Y are first given back the axes that were dropped, with
// size 1, so that they broadcast over X. Checked: testdata/reduce*.npz.

// reduceSumRule is the gradient of ReduceSum: dX repeats dY.
func reduceSumRule(c *call) error {
	dY, err := c.kept(c.dY[0])
	if err != nil {
		return err
	}
	return c.give(0, c.ExpandTo(dY, c.sizeOf(c.n.In[0])))
}

// reduceMeanRule is the gradient of ReduceMean: dX repeats dY / count, count being the
// number of elements that were averaged.
func reduceMeanRule(c *call) error {
	dY, err := c.kept(c.dY[0])
	if err != nil {
		return err
	}
	x := c.n.In[0]
	return c.give(0, c.ExpandTo(c.Div(dY, c.count(x, c.n.Out[0])), c.sizeOf(x)))
}

// globalAveragePoolRule is the gradient of GlobalAveragePool: dX repeats dY / count
// over the spatial axes.
func globalAveragePoolRule(c *call) error {
	x := c.n.In[0]
	return c.give(0, c.ExpandTo(c.Div(c.dY[0], c.count(x, c.n.Out[0])), c.sizeOf(x)))
}

// count is how many elements of x go into one of y, as a scalar of x's type.
func (w *walk) count(x, y *onnx.Value) *onnx.Value {
	return w.Cast(w.Div(w.Size(x), w.Size(y)), x.DType)
}

// reduceExtremeGrad is the gradient of ReduceMax and ReduceMin: dY goes to the element
// that Y equals, in equal parts where several do, as torch.amax shares it.
func reduceExtremeGrad(c *call, x, y, dY *onnx.Value, axes []int64) *onnx.Value {
	hit := c.mask(c.Equal(x, y), y)
	return c.Mul(hit, c.Div(dY, c.ReduceSumKeep(hit, axes...)))
}

// reduceL2Rule is the gradient of ReduceL2, Y = √ΣX²: dX = X · dY / Y, and 0 where all
// of X is 0.
func reduceL2Rule(c *call) error {
	dY, err := c.kept(c.dY[0])
	if err != nil {
		return err
	}
	y, err := c.kept(c.n.Out[0])
	if err != nil {
		return err
	}
	return c.give(0, c.Mul(c.n.In[0], c.Div(dY, c.Max(y, c.like(y, 1e-30)))))
}

// reduced makes a rule of a function from X, Y and dY, of size 1 along the reduced axes,
// to dX.
func reduced(dX func(c *call, x, y, dY *onnx.Value, axes []int64) *onnx.Value) func(c *call) error {
	return func(c *call) error {
		dY, err := c.kept(c.dY[0])
		if err != nil {
			return err
		}
		y, err := c.kept(c.n.Out[0])
		if err != nil {
			return err
		}
		axes, err := c.axes()
		if err != nil {
			return err
		}
		return c.give(0, dX(c, c.n.In[0], y, dY, axes))
	}
}

// ReduceL1: dX = dY·sign X.
func reduceL1Grad(c *call, x, _, dY *onnx.Value, _ []int64) *onnx.Value {
	return c.Mul(dY, c.Sign(x))
}

// ReduceSumSquare: dX = dY·2X.
func reduceSumSquareGrad(c *call, x, _, dY *onnx.Value, _ []int64) *onnx.Value {
	return c.Mul(c.scaled(dY, 2), x)
}

// ReduceLogSum, Y = log ΣX: dX = dY·exp(−Y).
func reduceLogSumGrad(c *call, x, y, dY *onnx.Value, _ []int64) *onnx.Value {
	return c.ExpandTo(c.Mul(dY, c.Exp(c.Neg(y))), c.sizeOf(x))
}

// ReduceLogSumExp: dX = dY·exp(X − Y).
func reduceLogSumExpGrad(c *call, x, y, dY *onnx.Value, _ []int64) *onnx.Value {
	return c.Mul(dY, c.Exp(c.Sub(x, y)))
}

// ReduceProd: dX = dY times the product of the others. With X′ = X where X ≠ 0 and 1
// elsewhere, that is ΠX′ / X′ where no zero is among the others, else 0.
func reduceProdGrad(c *call, x, _, dY *onnx.Value, axes []int64) *onnx.Value {
	zero := c.mask(c.Equal(x, c.like(x, 0)), x)
	filled := c.Add(x, zero)
	others := c.Sub(c.ReduceSumKeep(zero, axes...), zero)
	free := c.mask(c.Equal(others, c.like(x, 0)), x)
	all := c.Op("ReduceProd", []*onnx.Value{filled, c.Ints(axes...)}, nil, 1)[0]
	return c.Mul(c.Mul(dY, all), c.Div(free, filled))
}

// kept returns v, of the output's shape, with the reduced axes of size 1.
func (c *call) kept(v *onnx.Value) (*onnx.Value, error) {
	axes, err := c.axes()
	if err != nil || c.n.Int("keepdims", 1) != 0 || len(axes) == 0 {
		return v, err
	}
	return c.Unsqueeze(v, axes...), nil
}

// axes returns the axes that the node reduces: its second input, or all of them.
func (c *call) axes() ([]int64, error) {
	x := c.n.In[0]
	if x.Shape == nil {
		return nil, fmt.Errorf("%s: the rank of %q is unknown; bind its shape", c.n, x.Name)
	}
	var axes []int64
	if v := c.n.Input(1); v != nil {
		given, ok := integers(v)
		if !ok {
			return nil, c.none("computed axes")
		}
		for _, a := range given {
			axes = append(axes, int64(c.axis(a, x)))
		}
	}
	if len(axes) == 0 && c.n.Int("noop_with_empty_axes", 0) != 0 {
		return nil, c.none("no axes")
	}
	if len(axes) == 0 {
		for i := range x.Shape {
			axes = append(axes, int64(i))
		}
	}
	return axes, nil
}
