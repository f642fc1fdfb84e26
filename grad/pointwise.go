package grad

import "trilobite/onnx"

// Gradients of functions of one input, element by element; each line of a doc is
// dX / dY. Checked: testdata/pointwise.npz.

// Neg: −1.
func negGrad(c *call, _, _, dY *onnx.Value) *onnx.Value { return c.Neg(dY) }

// Abs: the sign of X, 0 at 0.
func absGrad(c *call, x, _, dY *onnx.Value) *onnx.Value { return c.Mul(dY, c.Sign(x)) }

// Sqrt: 1 / (2·Y), infinite at 0.
func sqrtGrad(c *call, _, y, dY *onnx.Value) *onnx.Value { return c.Div(c.scaled(dY, 0.5), y) }

// Reciprocal: −Y².
func reciprocalGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	return c.Neg(c.Mul(dY, c.Mul(y, y)))
}

// Exp: Y.
func expGrad(c *call, _, y, dY *onnx.Value) *onnx.Value { return c.Mul(dY, y) }

// Log: 1 / X.
func logGrad(c *call, x, _, dY *onnx.Value) *onnx.Value { return c.Div(dY, x) }

// Identity: 1.
func identityGrad(_ *call, _, _, dY *onnx.Value) *onnx.Value { return dY }

// Cast between float types: 1, cast back.
func castGrad(c *call, x, _, dY *onnx.Value) *onnx.Value { return c.Cast(dY, x.DType) }
