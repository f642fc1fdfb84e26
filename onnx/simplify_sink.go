package onnx

import (
	"maps"
	"slices"

	"trilobite/tensor"
)

// sinkTransposes moves a Transpose from before a pointwise, joining, padding, slicing or
// reducing node to behind it, so that it meets the one that undoes it. All inputs that are
// not constant must be transposed alike; constants are transposed here.
//
// Exact bit for bit. Costs nothing, and saves what mergeTransposes then takes out. Outputs
// keep their names: a feature map is called as before, with its axes in the other order.
func sinkTransposes(e *editor) bool {
	changed := false
	var nodes []*Node
	for _, n := range e.g.Nodes {
		nodes = append(nodes, n)
		if e.removed[n] || n.Domain != "" || len(n.Out) != 1 || n.Out[0] == nil || n.Out[0].Shape == nil {
			continue
		}
		data := transposable(n)
		perm := e.commonPerm(n, data)
		if perm == nil {
			continue
		}
		constants, ok := constantsBefore(n, data, perm)
		if !ok {
			continue
		}
		after, ok := e.permuteAttrs(n, perm)
		if !ok {
			continue
		}
		e.untranspose(n, data, constants)
		if t := e.transposeAfter(n, after); t != nil {
			nodes = append(nodes, t)
		}
		changed = true
	}
	e.g.Nodes = nodes
	return changed
}

// pointwiseOps work on each element by itself; of those with more inputs than one, all are
// broadcast but for Clip's limits.
var pointwiseOps = map[string]bool{
	"Abs": true, "Cast": true, "Ceil": true, "Celu": true, "Clip": true, "Elu": true, "Erf": true, "Exp": true,
	"Floor": true, "Gelu": true, "HardSigmoid": true, "HardSwish": true, "Identity": true, "LeakyRelu": true, "Log": true,
	"Mish": true, "Neg": true, "Reciprocal": true, "Relu": true, "Round": true, "Selu": true, "Sigmoid": true,
	"Softplus": true, "Softsign": true, "Sqrt": true, "Tanh": true, "ThresholdedRelu": true,
}

var broadcastOps = map[string]bool{
	"Add": true, "Div": true, "Max": true, "Mean": true, "Min": true, "Mul": true, "PRelu": true, "Pow": true, "Sub": true, "Sum": true,
}

// transposable counts the inputs of n, from the first on, that are transposed together; 0
// for operators that no Transpose moves past.
func transposable(n *Node) int {
	switch {
	case broadcastOps[n.Op] || n.Op == "Concat":
		return len(n.In)
	case pointwiseOps[n.Op], n.Op == "Softmax", n.Op == "LogSoftmax", n.Op == "Pad", n.Op == "Slice", n.Op == "ArgMax", n.Op == "ArgMin",
		n.Op == "ReduceMean", n.Op == "ReduceSum", n.Op == "ReduceMax", n.Op == "ReduceMin":
		return 1
	default:
		return 0
	}
}

// commonPerm returns the permutation of the Transposes that n's first inputs come from, nil
// if one of these is neither transposed so nor a constant.
func (e *editor) commonPerm(n *Node, inputs int) []int64 {
	var perm []int64
	for _, v := range n.In[:min(inputs, len(n.In))] {
		if v != nil && v.IsConst() && n.Op != "Concat" {
			continue
		}
		if v == nil || v.Node == nil || v.Node.Op != "Transpose" || v.Node.Domain != "" || v.Node.Input(0) == nil {
			return nil
		}
		p, err := permOf(v.Node.Ints("perm"), len(v.Node.In[0].Shape))
		if err != nil || perm != nil && !slices.Equal(p, perm) {
			return nil
		}
		perm = p
	}
	return perm
}

// constantsBefore returns n's constants as they are before the Transpose; nil for those
// that stay, and for other inputs.
func constantsBefore(n *Node, inputs int, perm []int64) ([]*tensor.Tensor, bool) {
	before := make([]*tensor.Tensor, len(n.In))
	for i, v := range n.In[:min(inputs, len(n.In))] {
		if v == nil || !v.IsConst() || v.Data.Len() == 1 && len(v.Shape) <= len(perm) {
			continue
		}
		if len(v.Shape) > len(perm) {
			return nil, false
		}
		wide, err := v.Data.Reshape(append(slices.Repeat([]int64{1}, len(perm)-len(v.Shape)), v.Shape...)...)
		if err != nil {
			return nil, false
		}
		out, ok := evaluate(&Node{Op: "Transpose", Out: make([]*Value, 1), Attrs: map[string]any{"perm": inverse(perm)}}, []*tensor.Tensor{wide})
		if !ok {
			return nil, false
		}
		before[i] = out[0]
	}
	return before, true
}

// untranspose lets n read what its first inputs are transposed from, and the constants
// given.
func (e *editor) untranspose(n *Node, inputs int, constants []*tensor.Tensor) {
	for i, v := range n.In[:min(inputs, len(n.In))] {
		switch {
		case constants[i] != nil:
			e.setConstant(n, i, constants[i])
		case v != nil && !v.IsConst():
			e.setInput(n, i, v.Node.In[0])
		}
	}
}

// permuteAttrs makes n's axes those before the Transpose, and returns the permutation of
// what n then computes.
func (e *editor) permuteAttrs(n *Node, perm []int64) (after []int64, ok bool) {
	switch n.Op {
	case "Concat", "Softmax", "LogSoftmax":
		at, err := axisOf(n.Int("axis", -1), len(perm))
		if err != nil {
			return nil, false
		}
		setAttr(n, "axis", perm[at])
	case "Pad":
		return perm, e.permutePads(n, perm)
	case "Slice":
		axes, ok := numbersOf(n.Input(3))
		if !ok {
			return nil, false
		}
		return perm, e.setAxes(n, 3, axes, perm)
	case "ArgMax", "ArgMin":
		at, err := axisOf(n.Int("axis", 0), len(perm))
		if err != nil {
			return nil, false
		}
		setAttr(n, "axis", perm[at])
		return reducedPerm(perm, []int64{int64(at)}, n.Int("keepdims", 1) != 0), true
	case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin":
		axes, ok := numbersOf(n.Input(1))
		if !ok || len(axes) == 0 || !e.setAxes(n, 1, axes, perm) {
			return nil, false
		}
		axes = mapSlice(axes, func(a int64) int64 { return (a + int64(len(perm))) % int64(len(perm)) })
		return reducedPerm(perm, axes, n.Int("keepdims", 1) != 0), true
	}
	return perm, true
}

// setAxes makes input i of n the axes before a Transpose that are axes behind it.
func (e *editor) setAxes(n *Node, i int, axes, perm []int64) bool {
	before := make([]int64, len(axes))
	for k, a := range axes {
		at, err := axisOf(a, len(perm))
		if err != nil {
			return false
		}
		before[k] = perm[at]
	}
	e.setConstant(n, i, tensor.Vector(before...))
	return true
}

// permutePads reorders a Pad's constant pads of all axes.
func (e *editor) permutePads(n *Node, perm []int64) bool {
	pads, ok := numbersOf(n.Input(1))
	if !ok || n.Input(3) != nil || len(pads) != 2*len(perm) {
		return false
	}
	before := make([]int64, len(pads))
	for i, p := range perm {
		before[p], before[int(p)+len(perm)] = pads[i], pads[i+len(perm)]
	}
	e.setConstant(n, 1, tensor.Vector(before...))
	return true
}

// reducedPerm is the permutation left of perm where axes (behind the Transpose) are
// reduced, and dropped unless they are kept.
func reducedPerm(perm, axes []int64, kept bool) []int64 {
	if kept {
		return perm
	}
	var left []int64
	for i, p := range perm {
		if !slices.Contains(axes, int64(i)) {
			left = append(left, p)
		}
	}
	rank := slices.Sorted(slices.Values(left))
	for i, p := range left {
		left[i] = int64(slices.Index(rank, p))
	}
	return left
}

// transposeAfter puts a Transpose behind n; nil where there is nothing to permute. An output
// of the graph goes on being what it was, and so is the Transpose's; any other value keeps
// its name as n's output.
func (e *editor) transposeAfter(n *Node, perm []int64) *Node {
	old := n.Out[0]
	if slices.IsSorted(perm) {
		return nil
	}
	shape := pick(old.Shape, inverse(perm))
	if e.kept[old] {
		y := &Value{Name: e.fresh(old.Name + "_nchw"), DType: old.DType, Shape: shape, Node: n}
		n.Out[0] = y
		return e.transpose(y, old, perm)
	}
	y := &Value{Name: e.fresh(old.Name + "_nhwc"), DType: old.DType, Shape: old.Shape}
	e.redirect(old, y)
	old.Shape, old.elems = shape, nil
	return e.transpose(old, y, perm)
}

func inverse(perm []int64) []int64 {
	back := make([]int64, len(perm))
	for i, p := range perm {
		back[p] = int64(i)
	}
	return back
}

func setAttr(n *Node, name string, value any) {
	n.Attrs = maps.Clone(n.Attrs)
	if n.Attrs == nil {
		n.Attrs = map[string]any{}
	}
	n.Attrs[name] = value
}
