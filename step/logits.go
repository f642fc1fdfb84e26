package step

import (
	"slices"

	"trilobite/onnx"
)

// classAxis is the axis that v's channels are on, 0 if its computation does not tell:
// convolutions and their kind have them on axis 1, a product with a weight matrix on the
// matrix's, a Softmax names its axis, and what keeps the shape keeps the axis.
func classAxis(v *onnx.Value) int {
	if len(v.Shape) == 2 {
		return 1
	}
	return axes{}.of(v)
}

// axes remembers the axis of each value.
type axes map[*onnx.Value]int

func (a axes) of(v *onnx.Value) int {
	axis, known := a[v]
	if !known {
		axis = a.find(v)
		a[v] = axis
	}
	return axis
}

func (a axes) find(v *onnx.Value) int {
	n, rank := v.Node, len(v.Shape)
	if n == nil || n.Domain != "" || rank < 2 {
		return 0
	}
	switch n.Op {
	case "Conv", "ConvTranspose", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LRN", "PRelu", "MaxPool",
		"AveragePool", "GlobalMaxPool", "GlobalAveragePool", "DepthToSpace", "SpaceToDepth", "GridSample":
		return 1
	case "MatMul":
		if n.In[0].IsConst() {
			return rank - 2
		}
		return rank - 1
	case "Gemm", "LayerNormalization":
		return rank - 1
	case "Softmax", "LogSoftmax":
		axis := int(n.Int("axis", -1))
		if axis < 0 {
			axis += rank
		}
		return axis
	case "Transpose":
		axis := a.of(n.In[0])
		return max(slices.Index(n.Ints("perm"), int64(axis)), 0)
	case "Reshape":
		in := n.In[0].Shape // rows apart or together
		if last := len(in) - 1; last > 0 && in[last] == v.Shape[rank-1] && a.of(n.In[0]) == last {
			return rank - 1
		}
		return 0
	case "Resize", "Concat", "Slice", "Split", "Pad", "Expand", "Tile":
		return a.of(n.In[0])
	}
	for _, in := range n.In {
		if in != nil && !in.IsConst() && slices.Equal(in.Shape, v.Shape) {
			if axis := a.of(in); axis > 0 {
				return axis
			}
		}
	}
	return 0
}

// before is what the activation that gives v takes, nil if it is another: Sigmoid(x) → x.
// Between the activation and v elements may be moved, as they then are for the result.
func before(b *onnx.Builder, v *onnx.Value, activation string) *onnx.Value {
	n := v.Node
	if n == nil || n.Domain != "" {
		return nil
	}
	switch n.Op {
	case activation:
		return n.In[0]
	case "Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze":
		x := before(b, n.In[0], activation)
		if x == nil {
			return nil
		}
		return b.Op(n.Op, slices.Concat([]*onnx.Value{x}, n.In[1:]), n.Attrs, 1)[0]
	default:
		return nil
	}
}
