package onnx

import (
	"fmt"
	"slices"

	"trilobite/tensor"
)

func reduceRule(op string) shapeRule {
	switch op {
	case "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
		"ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare":
		return inferReduce
	case "ArgMax", "ArgMin":
		return inferArg
	default:
		return nil
	}
}

// inferReduce: the axes of input 1, or all of them, become 1 (keepdims) or go.
func inferReduce(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x, t, keep := inShape(n, 0), inType(n, 0), n.Int("keepdims", 1) != 0
	setOut(n, 0, t, nil)
	if x == nil {
		return nil
	}
	axes, known, err := axesOf(n, 1, len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	if !known {
		if keep {
			setOut(n, 0, t, unknownShape(len(x)))
		} else if s := inShape(n, 1); len(s) == 1 && s[0] > 0 && s[0] <= int64(len(x)) {
			setOut(n, 0, t, unknownShape(len(x)-int(s[0])))
		}
		return nil
	}
	if len(axes) == 0 {
		if n.Int("noop_with_empty_axes", 0) != 0 {
			setOut(n, 0, t, x)
			return nil
		}
		for i := range x {
			axes = append(axes, i)
		}
	}
	setOut(n, 0, t, dropAxes(x, axes, keep))
	return nil
}

// dropAxes removes axes, or makes them 1.
func dropAxes(x Shape, axes []int, keep bool) Shape {
	y := Shape{}
	for i, d := range x {
		switch {
		case !slices.Contains(axes, i):
			y = append(y, d)
		case keep:
			y = append(y, 1)
		}
	}
	return y
}

// inferArg: int64 indices along one axis.
func inferArg(n *Node, _ *Symbols) error {
	x := inShape(n, 0)
	setOut(n, 0, tensor.Int64, nil)
	if x == nil {
		return need(n, 1)
	}
	axis, err := axisOf(n.Int("axis", 0), len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	setOut(n, 0, tensor.Int64, dropAxes(x, []int{axis}, n.Int("keepdims", 1) != 0))
	return nil
}
