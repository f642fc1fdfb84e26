package onnx

import (
	"fmt"
	"slices"

	"trilobite/tensor"
)

func indexRule(op string) shapeRule {
	switch op {
	case "Gather":
		return inferGather
	case "GatherElements":
		return inferGatherElements
	case "GatherND":
		return inferGatherND
	case "ScatterElements", "ScatterND", "Scatter", "ReverseSequence":
		return inferScatter
	case "OneHot":
		return inferOneHot
	case "TopK":
		return inferTopK
	case "NonZero":
		return inferNonZero
	case "NonMaxSuppression":
		return inferNMS
	case "Compress":
		return inferCompress
	default:
		return nil
	}
}

// inferGather puts the indices' shape in the place of the axis.
func inferGather(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x, indices, t := inShape(n, 0), inShape(n, 1), inType(n, 0)
	setOut(n, 0, t, nil)
	if x == nil || indices == nil {
		return nil
	}
	axis, err := axisOf(n.Int("axis", 0), len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	setOut(n, 0, t, join(x[:axis], indices, x[axis+1:]))
	return nil
}

// join returns the dimensions of parts one after the other; a scalar's if there are
// none.
func join(parts ...Shape) Shape {
	return append(Shape{}, slices.Concat(parts...)...)
}

// inferGatherElements: the output has the indices' shape.
func inferGatherElements(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x, indices := inShape(n, 0), inShape(n, 1)
	setOut(n, 0, inType(n, 0), indices)
	if x == nil || indices == nil {
		return nil
	}
	if len(x) != len(indices) {
		return fmt.Errorf("input %v and indices %v differ in rank", x, indices)
	}
	if _, err := axisOf(n.Int("axis", 0), len(x)); err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	return nil
}

// inferGatherND: indices (batch…, outer…, k) and X (batch…, k axes, rest…) give
// (batch…, outer…, rest…).
func inferGatherND(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x, indices, t := inShape(n, 0), inShape(n, 1), inType(n, 0)
	setOut(n, 0, t, nil)
	if x == nil || len(indices) == 0 {
		return nil
	}
	k, batch := indices[len(indices)-1], n.Int("batch_dims", 0)
	if k < 0 {
		return nil
	}
	if batch < 0 || batch >= int64(len(indices)) || k > int64(len(x))-batch {
		return fmt.Errorf("indices %v with batch_dims %d do not fit input %v", indices, batch, x)
	}
	setOut(n, 0, t, join(indices[:len(indices)-1], x[batch+k:]))
	return nil
}

// inferScatter: the output is the input with some elements changed or moved.
func inferScatter(n *Node, _ *Symbols) error {
	setOut(n, 0, inType(n, 0), inShape(n, 0))
	if n.Op == "ReverseSequence" {
		return need(n, 2)
	}
	if err := need(n, 3); err != nil {
		return err
	}
	x, indices, updates := inShape(n, 0), inShape(n, 1), inShape(n, 2)
	if n.Op != "ScatterND" && x != nil && indices != nil && updates != nil &&
		(len(x) != len(indices) || len(x) != len(updates)) {
		return fmt.Errorf("input %v, indices %v and updates %v differ in rank", x, indices, updates)
	}
	_, err := sameTypes(n, 0, 2)
	return err
}

// inferOneHot inserts an axis of the depth; the values [off, on] give the type.
func inferOneHot(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	indices, t := inShape(n, 0), inType(n, 2)
	setOut(n, 0, t, nil)
	if indices == nil {
		return nil
	}
	axis, err := axisOf(n.Int("axis", -1), len(indices)+1)
	if err != nil {
		return fmt.Errorf("indices %v: %w", indices, err)
	}
	setOut(n, 0, t, slices.Insert(slices.Clone(indices), axis, scalarDim(n.Input(1))))
	return nil
}

// scalarDim returns the only element of v as a dimension, Unknown where it is not
// known.
func scalarDim(v *Value) int64 {
	if e, ok := elemsOf(v); ok && len(e) == 1 {
		return e[0].size()
	}
	return Unknown
}

// inferTopK: values and int64 indices, K along the axis.
func inferTopK(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x := inShape(n, 0)
	var y Shape
	if x != nil {
		axis, err := axisOf(n.Int("axis", -1), len(x))
		if err != nil {
			return fmt.Errorf("input %v: %w", x, err)
		}
		y = slices.Clone(x)
		y[axis] = scalarDim(n.Input(1))
		if y[axis] >= 0 && x[axis] >= 0 && y[axis] > x[axis] {
			return fmt.Errorf("input %v has no %d elements on axis %d", x, y[axis], axis)
		}
	}
	setOut(n, 0, inType(n, 0), y)
	setOut(n, 1, tensor.Int64, y)
	return nil
}

// inferNonZero: (rank, count), the count depends on the elements.
func inferNonZero(n *Node, _ *Symbols) error {
	y := unknownShape(2)
	if x := inShape(n, 0); x != nil {
		y[0] = int64(len(x))
	}
	setOut(n, 0, tensor.Int64, y)
	return need(n, 1)
}

// inferNMS: boxes (N, count, 4), scores (N, classes, count) → (selected, 3).
func inferNMS(n *Node, _ *Symbols) error {
	setOut(n, 0, tensor.Int64, Shape{Unknown, 3})
	boxes, scores := inShape(n, 0), inShape(n, 1)
	if boxes != nil && len(boxes) != 3 || scores != nil && len(scores) != 3 {
		return fmt.Errorf("boxes %v and scores %v are not of rank 3", boxes, scores)
	}
	return need(n, 2)
}

func inferCompress(n *Node, _ *Symbols) error {
	x, t := inShape(n, 0), inType(n, 0)
	setOut(n, 0, t, nil)
	at, ok := n.Attrs["axis"].(int64)
	switch {
	case !ok:
		setOut(n, 0, t, unknownShape(1))
	case x != nil:
		axis, err := axisOf(at, len(x))
		if err != nil {
			return fmt.Errorf("input %v: %w", x, err)
		}
		y := slices.Clone(x)
		y[axis] = Unknown
		setOut(n, 0, t, y)
	}
	return need(n, 2)
}
