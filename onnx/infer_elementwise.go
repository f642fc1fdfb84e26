package onnx

import (
	"fmt"

	"trilobite/tensor"
)

func elementwiseRule(op string) shapeRule {
	switch op {
	case "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu",
		"Clip", "Cos", "Cosh", "CumSum", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid",
		"HardSwish", "Hardmax", "Identity", "LRN", "LeakyRelu", "Log", "LogSoftmax",
		"LpNormalization", "MeanVarianceNormalization", "Mish", "Neg", "Not", "Reciprocal", "Relu",
		"Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus",
		"Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Trilu":
		return inferSame
	case "IsInf", "IsNaN":
		return inferSameBool
	case "Add", "Sub", "Mul", "Div", "Mod", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift",
		"Max", "Min", "Mean", "Sum":
		return inferBroadcast
	case "And", "Or", "Xor", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual":
		return inferCompare
	case "Pow":
		return inferPow
	case "PRelu":
		return inferPRelu
	case "Where":
		return inferWhere
	case "Cast", "CastLike":
		return inferCast
	case "Dropout":
		return inferDropout
	default:
		return nil
	}
}

// inferSame is for Y of X's type and shape.
func inferSame(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	switch n.Op {
	case "Softmax", "LogSoftmax", "Hardmax", "LpNormalization":
		if s := inShape(n, 0); len(s) > 0 {
			if _, err := axisOf(n.Int("axis", -1), len(s)); err != nil {
				return fmt.Errorf("input %v: %w", s, err)
			}
		}
	}
	setOut(n, 0, inType(n, 0), inShape(n, 0))
	return nil
}

// inferSameBool is for booleans of X's shape.
func inferSameBool(n *Node, _ *Symbols) error {
	setOut(n, 0, tensor.Bool, inShape(n, 0))
	return need(n, 1)
}

// inferBroadcast is for any number of inputs of one type, broadcast to each other.
func inferBroadcast(n *Node, _ *Symbols) error {
	t, s, err := broadcastInputs(n)
	setOut(n, 0, t, s)
	return err
}

// inferCompare is as inferBroadcast, with booleans for the output.
func inferCompare(n *Node, _ *Symbols) error {
	_, s, err := broadcastInputs(n)
	setOut(n, 0, tensor.Bool, s)
	return err
}

func broadcastInputs(n *Node) (tensor.DType, Shape, error) {
	shapes := make([]Shape, len(n.In))
	places := make([]int, len(n.In))
	for i := range n.In {
		shapes[i], places[i] = inShape(n, i), i
	}
	if err := need(n, max(1, len(n.In))); err != nil {
		return tensor.Invalid, nil, err
	}
	t, err := sameTypes(n, places...)
	if err != nil {
		return t, nil, fmt.Errorf("shapes %v: %w", shapes, err)
	}
	s, err := broadcast(shapes...)
	return t, s, err
}

// inferPow: the exponent may be of another type than the base.
func inferPow(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	s, err := broadcast(inShape(n, 0), inShape(n, 1))
	setOut(n, 0, inType(n, 0), s)
	return err
}

// inferPRelu: the slope broadcasts to X, not the other way.
func inferPRelu(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x, slope := inShape(n, 0), inShape(n, 1)
	setOut(n, 0, inType(n, 0), x)
	s, err := broadcast(x, slope)
	if err == nil && s != nil && len(s) != len(x) {
		err = fmt.Errorf("slope %v does not broadcast to input %v", slope, x)
	}
	return err
}

func inferWhere(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	t, err := sameTypes(n, 1, 2)
	if err != nil {
		return err
	}
	s, err := broadcast(inShape(n, 0), inShape(n, 1), inShape(n, 2))
	setOut(n, 0, t, s)
	return err
}

func inferCast(n *Node, _ *Symbols) error {
	t := tensor.DType(n.Int("to", 0))
	if n.Op == "CastLike" {
		t = inType(n, 1)
	}
	setOut(n, 0, t, inShape(n, 0))
	return need(n, 1)
}

// inferDropout: the second output is the mask.
func inferDropout(n *Node, _ *Symbols) error {
	setOut(n, 0, inType(n, 0), inShape(n, 0))
	setOut(n, 1, tensor.Bool, inShape(n, 0))
	return need(n, 1)
}
