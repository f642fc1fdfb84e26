package grad

import (
	"trilobite/onnx"
	"trilobite/tensor"
)

// Differentiable reports whether input i of n can have a derivative: whether ONNX calls
// it differentiable, as it does not shapes, indices and the limits of Clip, and whether
// n's results are. The statistics of BatchNormalization have derivatives in ONNX and none
// here. An operator that this package does not know may have any, and its results, of
// unknown type, are taken for floats.
func Differentiable(n *onnx.Node, i int) bool {
	v := n.Input(i)
	if v == nil || !isFloat(v) && v.DType != tensor.Invalid || n.Domain == "" && zeroRules[n.Op] {
		return false
	}
	if n.Domain == "" {
		if first, ok := differentiable[n.Op]; ok {
			return i < first
		}
	}
	r, ok := ruleOf(n)
	return !ok || r.inputs == 0 || i < r.inputs
}

// differentiable tells how many of an operator's inputs, the first ones, ONNX calls
// differentiable (onnx/defs, Differentiable), where it is fewer than have a rule.
var differentiable = map[string]int{"BatchNormalization": 3, "Clip": 1, "Pad": 1}

// Known reports whether this package has a rule for n's operator, if only that its
// derivative is zero.
func Known(n *onnx.Node) bool {
	_, ok := ruleOf(n)
	return ok || n.Domain == "" && zeroRules[n.Op]
}
