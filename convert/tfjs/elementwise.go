package tfjs

import (
	"trilobite/onnx"
	"trilobite/tensor"
)

// elementwiseRule covers operations on single elements: of one tensor, or of two that
// are broadcast. They work in any layout.
func elementwiseRule(op string) rule {
	if unaryOp(op) != nil {
		return func(c *converter, s *step) []*operand {
			x, image := c.layout(c.in(s, 0))
			return one(like(unaryOp(op)(c, s.Attrs, x), image))
		}
	}
	if binaryOp(op) != nil {
		return func(c *converter, s *step) []*operand { return one(c.binary(op, c.in(s, 0), c.in(s, 1))) }
	}
	return nil
}

// unaryOp returns what writes an operation of one tensor, or nil.
func unaryOp(op string) func(c *converter, a Attrs, x *onnx.Value) *onnx.Value {
	simple := map[string]string{
		"Relu": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "Softplus": "Softplus", "Softsign": "Softsign",
		"Exp": "Exp", "Log": "Log", "Sqrt": "Sqrt", "Abs": "Abs", "Neg": "Neg", "Floor": "Floor", "Ceil": "Ceil",
		"Round": "Round", "Sign": "Sign", "Reciprocal": "Reciprocal", "Inv": "Reciprocal", "Erf": "Erf",
		"Sin": "Sin", "Cos": "Cos", "Tan": "Tan", "Asin": "Asin", "Acos": "Acos", "Atan": "Atan", "Sinh": "Sinh",
		"Cosh": "Cosh", "Asinh": "Asinh", "Acosh": "Acosh", "Atanh": "Atanh", "Selu": "Selu", "Elu": "Elu",
		"LogicalNot": "Not", "IsNan": "IsNaN", "IsInf": "IsInf",
	}[op]
	if simple != "" {
		return func(c *converter, _ Attrs, x *onnx.Value) *onnx.Value {
			return c.b.Op(simple, []*onnx.Value{x}, nil, 1)[0]
		}
	}
	switch op {
	case "Relu6":
		return func(c *converter, _ Attrs, x *onnx.Value) *onnx.Value { return c.b.ClipTo(x, 0, 6) }
	case "LeakyRelu":
		return func(c *converter, a Attrs, x *onnx.Value) *onnx.Value {
			return c.b.LeakyRelu(x, float32(a.Float("alpha", 0.2)))
		}
	case "Square":
		return func(c *converter, _ Attrs, x *onnx.Value) *onnx.Value { return c.b.Mul(x, x) }
	case "Rsqrt":
		return func(c *converter, _ Attrs, x *onnx.Value) *onnx.Value { return c.b.Reciprocal(c.b.Sqrt(x)) }
	case "Log1p":
		return func(c *converter, _ Attrs, x *onnx.Value) *onnx.Value {
			return c.b.Log(c.b.Add(x, c.b.Scalar(x.DType, 1)))
		}
	case "Expm1":
		return func(c *converter, _ Attrs, x *onnx.Value) *onnx.Value {
			return c.b.Sub(c.b.Exp(x), c.b.Scalar(x.DType, 1))
		}
	default:
		return nil
	}
}

// binaryOp returns what writes an operation of two tensors, or nil.
func binaryOp(op string) func(c *converter, x, y *onnx.Value) *onnx.Value {
	simple := map[string]string{
		"Add": "Add", "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div", "Pow": "Pow", "Maximum": "Max",
		"Minimum": "Min", "Greater": "Greater", "GreaterEqual": "GreaterOrEqual", "Less": "Less", "LessEqual": "LessOrEqual",
		"Equal": "Equal", "LogicalAnd": "And", "LogicalOr": "Or", "Prelu": "PRelu",
		"Div": "Div", // truncates integers, as ONNX does
	}[op]
	if simple != "" {
		return func(c *converter, x, y *onnx.Value) *onnx.Value {
			return c.b.Op(simple, []*onnx.Value{x, y}, nil, 1)[0]
		}
	}
	switch op {
	case "NotEqual":
		return func(c *converter, x, y *onnx.Value) *onnx.Value { return c.b.Not(c.b.Equal(x, y)) }
	case "SquaredDifference":
		return func(c *converter, x, y *onnx.Value) *onnx.Value {
			d := c.b.Sub(x, y)
			return c.b.Mul(d, d)
		}
	case "FloorDiv":
		return func(c *converter, x, y *onnx.Value) *onnx.Value {
			if x.DType.IsFloat() {
				return c.b.Floor(c.b.Div(x, y))
			}
			return c.b.Div(c.b.Sub(x, c.b.Mod(x, y)), y) // Mod has the divisor's sign
		}
	case "FloorMod":
		return func(c *converter, x, y *onnx.Value) *onnx.Value {
			if x.DType.IsFloat() {
				return c.b.Sub(x, c.b.Mul(c.b.Floor(c.b.Div(x, y)), y))
			}
			return c.b.Mod(x, y)
		}
	default:
		return nil
	}
}

// binary computes on known numbers, folds into a convolution, or writes the operation.
func (c *converter) binary(op string, x, y *operand) *operand {
	a, okA := c.numbers(x)
	b, okB := c.numbers(y)
	if okA && okB {
		if v, ok := calculate(op, a, b); ok {
			return describe(v, x.rank() == 0 && y.rank() == 0, x.elem())
		}
	}
	if o := c.fold(op, x, y); o != nil {
		return o
	}
	vs, image := c.align(x, y)
	if c.err != nil {
		return dead()[0]
	}
	o := like(binaryOp(op)(c, vs[0], vs[1]), image)
	if op == "Add" || op == "AddV2" {
		c.remember(o, x, y)
	}
	return o
}

// biasAdd adds a vector per channel; TensorFlow.js graphs are always NHWC.
func biasAdd(c *converter, s *step) []*operand {
	c.checkFormat(s)
	return one(c.binary("Add", c.in(s, 0), c.in(s, 1)))
}

// addN sums tensors of one shape; Add, of two at a time, is what runtimes fuse.
func addN(c *converter, s *step) []*operand {
	sum := c.in(s, 0)
	for i := 1; i < len(s.in); i++ {
		sum = c.binary("Add", sum, c.in(s, i))
	}
	if len(s.in) == 1 {
		v, image := c.layout(sum)
		sum = like(v, image)
	}
	return one(sum)
}

// selectRule chooses between two tensors. Select, unlike SelectV2, lets a condition
// of rank 1 choose whole rows.
func selectRule(c *converter, s *step) []*operand {
	cond, x, y := c.in(s, 0), c.in(s, 1), c.in(s, 2)
	if s.Op == "Select" && cond.rank() == 1 && x.rank() > 1 {
		axes := make([]int64, x.rank()-1)
		for i := range axes {
			axes[i] = int64(i + 1)
		}
		cond = &operand{v: c.b.Unsqueeze(c.plain(cond), axes...)}
	}
	vs, image := c.align(cond, x, y)
	return one(like(c.b.Where(vs[0], vs[1], vs[2]), image))
}

// clip bounds a tensor by two scalars.
func clip(c *converter, s *step) []*operand {
	x, image := c.layout(c.in(s, 0))
	return one(like(c.b.Clip(x, c.plain(c.in(s, 1)), c.plain(c.in(s, 2))), image))
}

func cast(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	to := s.Attrs.DType("DstT", tensor.Invalid)
	if to == tensor.Invalid {
		c.failf("cast to an unknown type")
		return dead()
	}
	if known, ok := c.numbers(o); ok && (to == tensor.Int32 || to == tensor.Int64) {
		return one(describe(known, o.rank() == 0, to))
	}
	x, image := c.layout(o)
	return one(like(c.b.Cast(x, to), image))
}

// checkFormat refuses NCHW nodes, which TensorFlow.js cannot run either.
func (c *converter) checkFormat(s *step) {
	if f := s.Attrs.Str("data_format", "NHWC"); f != "NHWC" {
		c.failf("data_format %s is not supported", f)
	}
}
