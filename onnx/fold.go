package onnx

import (
	"slices"

	"trilobite/tensor"
)

// evaluate computes a node whose inputs are known, nil for an omitted one. ok is
// false for an operator, type or size that is not computed here: this serves shape
// arithmetic and the constants around weights, ONNX Runtime computes all else.
// Sums and products of float32 are rounded as float32, so results equal the
// runtime's bit for bit but for Exp, Log, Pow and reductions.
func evaluate(n *Node, in []*tensor.Tensor) (out []*tensor.Tensor, ok bool) {
	if n.Domain != "" && n.Domain != "ai.onnx" || len(n.Out) == 0 || n.Op == "If" || n.Op == "Loop" || n.Op == "Scan" {
		return nil, false
	}
	m := &Node{Op: n.Op, Attrs: n.Attrs, In: make([]*Value, len(in)), Out: make([]*Value, len(n.Out))}
	for i, t := range in {
		if t != nil {
			m.In[i] = constant("", t)
		}
	}
	for i := range m.Out {
		m.Out[i] = &Value{}
	}
	rule := inferRule(m.Op)
	if rule == nil || rule(m, &Symbols{}) != nil {
		return nil, false
	}
	if m.Op != "NonZero" {
		for _, v := range m.Out {
			if size := productOf(v.Shape...).dim(); !v.Shape.Static() || size < 0 || size > maxFold {
				return nil, false
			}
		}
	}
	if parts, ok := moved(m); ok {
		return move(m, parts)
	}
	t, ok := evaluateOne(m)
	return []*tensor.Tensor{t}, ok
}

func evaluateOne(m *Node) (*tensor.Tensor, bool) {
	switch m.Op {
	case "Constant":
		t := constantOf(m)
		return t, t != nil
	case "Cast":
		return cast(m.In[0].Data, m.Out[0].DType)
	case "Shape", "Size":
		return shapeTensor(m), true
	case "ConstantOfShape":
		return filled(m)
	case "Range":
		return rangeTensor(m)
	case "NonZero":
		return nonZero(m.In[0].Data)
	case "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd":
		return reduce(m)
	case "Dropout":
		training := m.Input(2)
		return m.In[0].Data, len(m.Out) == 1 && (training == nil || isFalse(training))
	default:
		return pointwise(m)
	}
}

// isFalse reports whether v is a boolean constant that is all false.
func isFalse(v *Value) bool {
	b, ok := allInts(v)
	return ok && !slices.ContainsFunc(b, func(x int64) bool { return x != 0 })
}

// move builds the outputs of an operator that only moves elements.
func move(m *Node, parts []*Value) ([]*tensor.Tensor, bool) {
	out := make([]*tensor.Tensor, len(m.Out))
	for i, v := range m.Out {
		switch m.Op {
		case "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze":
			t, err := m.In[0].Data.Reshape(v.Shape...)
			if err != nil {
				return nil, false
			}
			out[i] = t
			continue
		}
		pos, ok := positions(m, i)
		if !ok {
			return nil, false
		}
		data := make([]any, len(parts))
		for j, p := range parts {
			data[j] = p.Data.Raw()
		}
		t, ok := take(parts[0].DType, v.Shape, data, pos)
		if !ok {
			return nil, false
		}
		out[i] = t
	}
	return out, true
}

// take gathers elements of the joined parts, slices of one type; one past the end
// is the zero value.
func take(t tensor.DType, shape []int64, parts []any, pos []int32) (*tensor.Tensor, bool) {
	switch parts[0].(type) {
	case []float32:
		return takeOf[float32](t, shape, parts, pos)
	case []float64:
		return takeOf[float64](t, shape, parts, pos)
	case []int8:
		return takeOf[int8](t, shape, parts, pos)
	case []int16:
		return takeOf[int16](t, shape, parts, pos)
	case []int32:
		return takeOf[int32](t, shape, parts, pos)
	case []int64:
		return takeOf[int64](t, shape, parts, pos)
	case []uint8:
		return takeOf[uint8](t, shape, parts, pos)
	case []uint16:
		return takeOf[uint16](t, shape, parts, pos)
	case []uint32:
		return takeOf[uint32](t, shape, parts, pos)
	case []uint64:
		return takeOf[uint64](t, shape, parts, pos)
	case []bool:
		return takeOf[bool](t, shape, parts, pos)
	default:
		return nil, false
	}
}

func takeOf[T tensor.Elem](t tensor.DType, shape []int64, parts []any, pos []int32) (*tensor.Tensor, bool) {
	joined, _ := parts[0].([]T)
	for _, p := range parts[1:] {
		more, ok := p.([]T)
		if !ok {
			return nil, false
		}
		joined = append(slices.Clip(joined), more...)
	}
	out := make([]T, len(pos))
	for i, p := range pos {
		switch {
		case int(p) < len(joined):
			out[i] = joined[p]
		case int(p) > len(joined):
			return nil, false
		}
	}
	r := tensor.Of(shape, out)
	r.DType = t // 16-bit floats are kept as their bits
	return r, true
}
