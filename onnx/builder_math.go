package onnx

import "trilobite/tensor"

// Elementwise operators. Those of two or more inputs broadcast as NumPy does
// (ONNX, Broadcasting.md): dimensions are aligned at the end, size 1 stretches.

// Add is X + Y.
func (b *Builder) Add(x, y *Value) *Value { return b.op("Add", nil, x, y) }

// Sub is X − Y.
func (b *Builder) Sub(x, y *Value) *Value { return b.op("Sub", nil, x, y) }

// Mul is X · Y.
func (b *Builder) Mul(x, y *Value) *Value { return b.op("Mul", nil, x, y) }

// Div is X / Y; integers round towards zero.
func (b *Builder) Div(x, y *Value) *Value { return b.op("Div", nil, x, y) }

// Mod is X mod Y with the sign of Y, for integers.
func (b *Builder) Mod(x, y *Value) *Value { return b.op("Mod", nil, x, y) }

// Pow is X to the power Y, in X's type.
func (b *Builder) Pow(x, y *Value) *Value { return b.op("Pow", nil, x, y) }

// Min is the smallest of its inputs, element by element.
func (b *Builder) Min(xs ...*Value) *Value { return b.op("Min", nil, xs...) }

// Max is the largest of its inputs, element by element.
func (b *Builder) Max(xs ...*Value) *Value { return b.op("Max", nil, xs...) }

// Sum adds its inputs.
func (b *Builder) Sum(xs ...*Value) *Value { return b.op("Sum", nil, xs...) }

// Mean averages its inputs, element by element.
func (b *Builder) Mean(xs ...*Value) *Value { return b.op("Mean", nil, xs...) }

// Neg is −X.
func (b *Builder) Neg(x *Value) *Value { return b.op("Neg", nil, x) }

// Abs is |X|.
func (b *Builder) Abs(x *Value) *Value { return b.op("Abs", nil, x) }

// Sign is −1, 0 or 1.
func (b *Builder) Sign(x *Value) *Value { return b.op("Sign", nil, x) }

// Floor rounds down.
func (b *Builder) Floor(x *Value) *Value { return b.op("Floor", nil, x) }

// Ceil rounds up.
func (b *Builder) Ceil(x *Value) *Value { return b.op("Ceil", nil, x) }

// Round rounds to the nearest integer, halves to even.
func (b *Builder) Round(x *Value) *Value { return b.op("Round", nil, x) }

// Sqrt is the square root.
func (b *Builder) Sqrt(x *Value) *Value { return b.op("Sqrt", nil, x) }

// Reciprocal is 1 / X.
func (b *Builder) Reciprocal(x *Value) *Value { return b.op("Reciprocal", nil, x) }

// Exp is e to the power X.
func (b *Builder) Exp(x *Value) *Value { return b.op("Exp", nil, x) }

// Log is the natural logarithm.
func (b *Builder) Log(x *Value) *Value { return b.op("Log", nil, x) }

// Sin is the sine of radians.
func (b *Builder) Sin(x *Value) *Value { return b.op("Sin", nil, x) }

// Cos is the cosine of radians.
func (b *Builder) Cos(x *Value) *Value { return b.op("Cos", nil, x) }

// Erf is the error function.
func (b *Builder) Erf(x *Value) *Value { return b.op("Erf", nil, x) }

// Identity is X under another name.
func (b *Builder) Identity(x *Value) *Value { return b.op("Identity", nil, x) }

// Cast converts the element type.
func (b *Builder) Cast(x *Value, to tensor.DType) *Value {
	return b.op("Cast", map[string]any{"to": int64(to)}, x)
}

// CastLike converts X to Y's element type.
func (b *Builder) CastLike(x, y *Value) *Value { return b.op("CastLike", nil, x, y) }

// Where is X where cond holds and Y elsewhere.
func (b *Builder) Where(cond, x, y *Value) *Value { return b.op("Where", nil, cond, x, y) }

// Clip limits X to [lo, hi], two scalars of X's type; nil is no limit.
func (b *Builder) Clip(x, lo, hi *Value) *Value { return b.op("Clip", nil, x, lo, hi) }

// ClipTo limits X to [lo, hi]; ReLU6 is ClipTo(x, 0, 6).
func (b *Builder) ClipTo(x *Value, lo, hi float64) *Value {
	if b.err != nil {
		return &Value{}
	}
	return b.Clip(x, b.Scalar(x.DType, lo), b.Scalar(x.DType, hi))
}

// CumSum adds along an axis, each element including itself.
func (b *Builder) CumSum(x *Value, axis int64) *Value { return b.op("CumSum", nil, x, b.Int(axis)) }
