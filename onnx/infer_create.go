package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"trilobite/tensor"
)

func createRule(op string) shapeRule {
	switch op {
	case "Constant":
		return inferConstant
	case "ConstantOfShape":
		return inferConstantOfShape
	case "Shape":
		return inferShape
	case "Size":
		return inferSize
	case "Range":
		return inferRange
	case "EyeLike", "RandomNormalLike", "RandomUniformLike", "Bernoulli":
		return inferLike
	case "RandomNormal", "RandomUniform":
		return inferRandom
	default:
		return nil
	}
}

// constantOf returns the tensor that a Constant node holds, nil for kinds that are
// not dense tensors.
func constantOf(n *Node) *tensor.Tensor {
	for _, v := range n.Attrs {
		switch a := v.(type) {
		case *tensor.Tensor:
			return a
		case float32:
			return tensor.Scalar(a)
		case int64:
			return tensor.Scalar(a)
		case string:
			return tensor.Scalar(a)
		case []float32:
			return tensor.Vector(a...)
		case []int64:
			return tensor.Vector(a...)
		case []string:
			return tensor.Vector(a...)
		}
	}
	return nil
}

func inferConstant(n *Node, _ *Symbols) error {
	if t := constantOf(n); t != nil {
		setOut(n, 0, t.DType, append(Shape{}, t.Shape...))
	}
	return nil
}

func inferConstantOfShape(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	t := tensor.Float32
	if v, ok := n.Attrs["value"].(*tensor.Tensor); ok {
		t = v.DType
	}
	setOut(n, 0, t, nil)
	elems, ok := elemsOf(n.In[0])
	if !ok {
		if s := inShape(n, 0); len(s) == 1 && s[0] >= 0 && s[0] <= maxRank {
			setOut(n, 0, t, unknownShape(int(s[0])))
		}
		return nil
	}
	y := make(Shape, len(elems))
	for i, e := range elems {
		if !e.dim && e.n < 0 {
			return fmt.Errorf("entry %d of the shape is %d", i, e.n)
		}
		y[i] = e.size()
	}
	setOut(n, 0, t, y)
	return nil
}

// shapePart returns the dimensions that a Shape node reports, by its start and end.
func shapePart(n *Node, x Shape) Shape {
	clamp := func(i int64) int64 {
		if i < 0 {
			i += int64(len(x))
		}
		return min(max(i, 0), int64(len(x)))
	}
	start, end := clamp(n.Int("start", 0)), clamp(n.Int("end", math.MaxInt64))
	return x[start:max(start, end)]
}

func inferShape(n *Node, _ *Symbols) error {
	y := unknownShape(1)
	if x := inShape(n, 0); x != nil {
		y[0] = int64(len(shapePart(n, x)))
	}
	setOut(n, 0, tensor.Int64, y)
	return need(n, 1)
}

func inferSize(n *Node, _ *Symbols) error {
	setOut(n, 0, tensor.Int64, Shape{})
	return need(n, 1)
}

// inferRange: ceil((limit − start) / delta) elements. From 0 by 1, the limit may be
// a symbol.
func inferRange(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	t, err := sameTypes(n, 0, 1, 2)
	if err != nil {
		return err
	}
	setOut(n, 0, t, unknownShape(1))
	if t.IsFloat() {
		var f [3]float64
		for i := range f {
			v := n.In[i].Data
			if v == nil || v.Len() != 1 {
				return nil
			}
			list, ok := floats(v)
			if !ok {
				return nil
			}
			f[i] = list[0]
		}
		k := math.Ceil((f[1] - f[0]) / f[2])
		if f[2] == 0 || math.IsNaN(k) || k > math.MaxInt32 {
			return fmt.Errorf("from %g to %g by %g", f[0], f[1], f[2])
		}
		setOut(n, 0, t, Shape{int64(max(k, 0))})
		return nil
	}
	start, delta, limit := scalarNum(n.In[0]), scalarNum(n.In[2]), scalarNum(n.In[1])
	k, err := rangeCount(start, limit, delta)
	setOut(n, 0, t, Shape{k})
	return err
}

func rangeCount(start, limit, delta num) (int64, error) {
	const far = 1 << 40
	switch {
	case !delta.dim && delta.n == 0:
		return Unknown, errors.New("step 0")
	case start == (num{}) && delta == (num{n: 1}) && limit.dim:
		return limit.n, nil
	case start.dim || limit.dim || delta.dim:
		return Unknown, nil
	case max(start.n, limit.n, delta.n) > far || min(start.n, limit.n, delta.n) < -far:
		return Unknown, fmt.Errorf("from %d to %d by %d", start.n, limit.n, delta.n)
	case delta.n > 0:
		return max(0, (limit.n-start.n+delta.n-1)/delta.n), nil
	default:
		return max(0, (start.n-limit.n-delta.n-1)/-delta.n), nil
	}
}

// scalarNum returns the only element of v.
func scalarNum(v *Value) num {
	if e, ok := elemsOf(v); ok && len(e) == 1 {
		return e[0]
	}
	return numOf(Unknown)
}

// inferLike: X's shape, and its type unless the node says another.
func inferLike(n *Node, _ *Symbols) error {
	setOut(n, 0, tensor.DType(n.Int("dtype", int64(inType(n, 0)))), inShape(n, 0))
	return need(n, 1)
}

func inferRandom(n *Node, _ *Symbols) error {
	s := Shape(slices.Clone(n.Ints("shape")))
	if slices.ContainsFunc(s, func(d int64) bool { return d < 0 }) {
		return fmt.Errorf("shape %v", s)
	}
	setOut(n, 0, tensor.DType(n.Int("dtype", int64(tensor.Float32))), s)
	return nil
}
