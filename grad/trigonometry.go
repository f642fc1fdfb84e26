package grad

import "trilobite/onnx"

// Trigonometric and hyperbolic functions; each formula is dX / dY, and holds where the
// function is defined. Checked: testdata/trigonometry.npz.

// Sin: cos X.
func sinGrad(c *call, x, _, dY *onnx.Value) *onnx.Value { return c.Mul(dY, c.Cos(x)) }

// Cos: −sin X.
func cosGrad(c *call, x, _, dY *onnx.Value) *onnx.Value { return c.Neg(c.Mul(dY, c.Sin(x))) }

// Tan: 1 + Y².
func tanGrad(c *call, _, y, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.Add(c.Mul(y, y), c.like(y, 1)))
}

// Asin: 1 / √(1 − X²).
func asinGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Div(dY, c.Sqrt(c.Sub(c.like(x, 1), c.Mul(x, x))))
}

// Acos: −1 / √(1 − X²).
func acosGrad(c *call, x, y, dY *onnx.Value) *onnx.Value { return c.Neg(asinGrad(c, x, y, dY)) }

// Atan: 1 / (1 + X²).
func atanGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Div(dY, c.Add(c.Mul(x, x), c.like(x, 1)))
}

// Sinh: cosh X.
func sinhGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.Op("Cosh", []*onnx.Value{x}, nil, 1)[0])
}

// Cosh: sinh X.
func coshGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Mul(dY, c.Op("Sinh", []*onnx.Value{x}, nil, 1)[0])
}

// Asinh: 1 / √(X² + 1).
func asinhGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Div(dY, c.Sqrt(c.Add(c.Mul(x, x), c.like(x, 1))))
}

// Acosh: 1 / √(X² − 1).
func acoshGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Div(dY, c.Sqrt(c.Sub(c.Mul(x, x), c.like(x, 1))))
}

// Atanh: 1 / (1 − X²).
func atanhGrad(c *call, x, _, dY *onnx.Value) *onnx.Value {
	return c.Div(dY, c.Sub(c.like(x, 1), c.Mul(x, x)))
}
