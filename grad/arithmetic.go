package grad

import (
	"trilobite/onnx"
	"trilobite/tensor"
)

// addRule is the gradient of Add, Y = A + B:
//
//	dA = dY    dB = dY
//
// both summed over broadcast axes. Also of Sum, for any number of inputs. Checked:
// testdata/arithmetic.npz.
func addRule(c *call) error {
	for i := range c.n.In {
		if c.wants(i) {
			if err := c.giveSum(i, c.dY[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// subRule is the gradient of Sub, Y = A − B:
//
//	dA = dY    dB = −dY
//
// Checked: testdata/arithmetic.npz.
func subRule(c *call) error {
	return c.both(
		func() *onnx.Value { return c.dY[0] },
		func() *onnx.Value { return c.Neg(c.dY[0]) })
}

// mulRule is the gradient of Mul, Y = A · B:
//
//	dA = dY·B    dB = dY·A
//
// Checked: testdata/arithmetic.npz.
func mulRule(c *call) error {
	a, b, dY := c.n.In[0], c.n.In[1], c.dY[0]
	return c.both(
		func() *onnx.Value { return c.Mul(dY, b) },
		func() *onnx.Value { return c.Mul(dY, a) })
}

// divRule is the gradient of Div, Y = A / B:
//
//	dA = dY / B    dB = −dY·Y / B
//
// Checked: testdata/arithmetic.npz.
func divRule(c *call) error {
	b, y, dY := c.n.In[1], c.n.Out[0], c.dY[0]
	return c.both(
		func() *onnx.Value { return c.Div(dY, b) },
		func() *onnx.Value { return c.Neg(c.Div(c.Mul(dY, y), b)) })
}

// powRule is the gradient of Pow, Y = X^P:
//
//	dX = dY·P·X^(P−1)    dP = dY·Y·log X
//
// Where P is 0, dX is 0; where X is 0 and P at least 0, dP is 0, as in PyTorch. With
// X < 0, dP is NaN.
// Checked: testdata/arithmetic.npz.
func powRule(c *call) error {
	x, p, y, dY := c.n.In[0], c.n.In[1], c.n.Out[0], c.dY[0]
	if c.wants(1) && p.DType != x.DType {
		return c.none("base %s and exponent %s", x.DType, p.DType)
	}
	return c.both(
		func() *onnx.Value {
			if k, ok := number(p); ok {
				switch k {
				case 0:
					return c.filled(y, 0)
				case 1:
					return dY
				case 2:
					return c.Mul(dY, c.scaled(x, 2))
				default:
					return c.Mul(dY, c.scaled(c.Pow(x, c.like(x, k-1)), k))
				}
			}
			if p.DType != x.DType {
				p = c.Cast(p, x.DType)
			}
			none := c.Equal(p, c.like(x, 0)) // 0·0^(−1) is NaN: the exponent 1 instead
			return c.Mul(dY, c.Mul(p, c.Pow(x, c.Add(c.Sub(p, c.like(x, 1)), c.mask(none, x)))))
		},
		func() *onnx.Value {
			none := c.And(c.Equal(x, c.like(x, 0)), c.GreaterOrEqual(p, c.like(x, 0))) // 0·log 0 is NaN: log 1 instead
			return c.Mul(dY, c.Mul(c.Where(none, c.like(x, 0), y), c.Log(c.Add(x, c.mask(none, x)))))
		})
}

// both gives a binary operator's inputs what da and db build, where wanted.
func (c *call) both(da, db func() *onnx.Value) error {
	for i, d := range []func() *onnx.Value{da, db} {
		if c.wants(i) {
			if err := c.giveSum(i, d()); err != nil {
				return err
			}
		}
	}
	return nil
}

// meanRule is the gradient of Mean of k inputs: dX = dY / k, summed over broadcast
// axes. Checked: testdata/arithmetic.npz.
func meanRule(c *call) error {
	c.dY[0] = c.scaled(c.dY[0], 1/float64(len(c.n.In)))
	return addRule(c)
}

// extremeRule is the gradient of Max and Min: dY goes to the input that Y equals, in
// equal parts where several do, as torch.maximum shares it. Checked:
// testdata/arithmetic.npz.
func extremeRule(c *call) error {
	y := c.n.Out[0]
	masks := make([]*onnx.Value, len(c.n.In))
	for i, x := range c.n.In {
		masks[i] = c.mask(c.Equal(x, y), y)
	}
	share := c.Div(c.dY[0], c.Sum(masks...))
	for i := range c.n.In {
		if c.wants(i) {
			if err := c.giveSum(i, c.Mul(share, masks[i])); err != nil {
				return err
			}
		}
	}
	return nil
}

// whereRule is the gradient of Where, Y = A where C holds and B elsewhere:
//
//	dA = dY·[C]    dB = dY·[not C]
//
// A product with the mask, since Where with a scalar is several times slower on the
// CPU. Checked: testdata/arithmetic.npz.
func whereRule(c *call) error {
	cond, dY := c.n.In[0], c.dY[0]
	for i := 1; i < 3; i++ {
		if !c.wants(i) {
			continue
		}
		chosen := cond
		if i == 2 {
			chosen = c.Not(cond)
		}
		if err := c.giveSum(i, c.Mul(dY, c.mask(chosen, dY))); err != nil {
			return err
		}
	}
	return nil
}

// number returns the element of a float or integer constant that has one.
func number(v *onnx.Value) (float64, bool) {
	if v == nil || !v.IsConst() || v.Data.Len() != 1 {
		return 0, false
	}
	switch d := v.Data.Raw().(type) {
	case []float32:
		return float64(d[0]), true
	case []float64:
		return d[0], true
	case []int64:
		return float64(d[0]), true
	case []int32:
		return float64(d[0]), true
	default:
		return 0, false
	}
}

// integers returns the elements of an int64 tensor that is a constant or that the graph
// computes from known shapes.
func integers(v *onnx.Value) ([]int64, bool) {
	if v == nil {
		return nil, false
	}
	if v.IsConst() {
		return tensor.Data[int64](v.Data)
	}
	return v.Ints()
}
