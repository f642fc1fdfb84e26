package grad

import (
	"fmt"

	"trilobite/onnx"
)

// unbroadcast adds v up over the axes along which broadcasting repeated x to v's shape
// (ONNX, Broadcasting.md): those before x's first and those where x has size 1. Whether
// an axis whose size is not known was stretched is told when the graph runs.
func (c *call) unbroadcast(v, x *onnx.Value) (*onnx.Value, error) {
	if c.Err() != nil {
		return v, c.Err()
	}
	lead := len(v.Shape) - len(x.Shape)
	if v.Shape == nil || x.Shape == nil || lead < 0 {
		return nil, fmt.Errorf("%s: broadcasting %v to %v cannot be undone", c.n, x.Shape, v.Shape)
	}
	var drop, keep []int64
	open := false
	for i, d := range v.Shape {
		switch {
		case i < lead:
			drop = append(drop, int64(i))
		case x.Shape[i-lead] == 1 && d != 1:
			keep = append(keep, int64(i-lead))
		case x.Shape[i-lead] < 0 && (x.Shape[i-lead] != d || d == onnx.Unknown):
			open = true
		}
	}
	if drop != nil {
		v = c.ReduceSum(v, drop...)
	}
	if keep != nil {
		v = c.ReduceSumKeep(v, keep...)
	}
	if open {
		v = c.shrunk(v, x)
	}
	return v, nil
}

// shrunk adds v up, of x's rank, over the axes along which the two differ when the graph
// runs.
func (w *walk) shrunk(v, x *onnx.Value) *onnx.Value {
	differ := w.Not(w.Equal(w.Shape(x), w.Shape(v)))
	axes := w.Reshape(w.NonZero(differ), -1)
	attrs := map[string]any{"keepdims": int64(1), "noop_with_empty_axes": int64(1)}
	return w.reshapedLike(w.Op("ReduceSum", []*onnx.Value{v, axes}, attrs, 1)[0], x)
}

// sizeOf is x's shape as an int64 vector: a constant where it is known.
func (w *walk) sizeOf(x *onnx.Value) *onnx.Value {
	if x.Shape.Static() {
		return w.Ints(x.Shape...)
	}
	return w.Shape(x)
}

// filled is a tensor of x's shape and type of which every element is value.
func (w *walk) filled(x *onnx.Value, value float64) *onnx.Value {
	return w.ExpandTo(w.Scalar(x.DType, value), w.sizeOf(x))
}

// like is a scalar of x's type.
func (w *walk) like(x *onnx.Value, value float64) *onnx.Value { return w.Scalar(x.DType, value) }

// scaled is value·x.
func (w *walk) scaled(x *onnx.Value, value float64) *onnx.Value {
	if value == 1 {
		return x
	}
	return w.Mul(x, w.like(x, value))
}

// reshapedLike is v with x's shape.
func (w *walk) reshapedLike(v, x *onnx.Value) *onnx.Value { return w.ReshapeTo(v, w.sizeOf(x)) }

// mask is truth as numbers of x's type: 1 and 0.
func (w *walk) mask(truth, x *onnx.Value) *onnx.Value { return w.Cast(truth, x.DType) }
