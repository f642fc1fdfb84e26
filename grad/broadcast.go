package grad

import (
	"fmt"

	"trilobite/onnx"
)

// unbroadcast adds v up over the axes along which broadcasting repeated x to v's shape
// (ONNX, Broadcasting.md): those before x's first and those where x has size 1. A
// symbolic dimension of x must be the same in v, or it could be a 1 that was stretched.
func (c *call) unbroadcast(v, x *onnx.Value) (*onnx.Value, error) {
	if c.Err() != nil {
		return v, c.Err()
	}
	lead := len(v.Shape) - len(x.Shape)
	if v.Shape == nil || x.Shape == nil || lead < 0 {
		return nil, fmt.Errorf("%s: broadcasting %v to %v cannot be undone", c.n, x.Shape, v.Shape)
	}
	var drop, keep []int64
	for i, d := range v.Shape {
		switch {
		case i < lead:
			drop = append(drop, int64(i))
		case x.Shape[i-lead] == 1 && d != 1:
			keep = append(keep, int64(i-lead))
		case x.Shape[i-lead] == d && d != onnx.Unknown:
		case x.Shape[i-lead] >= 0 && d < 0: // v's size must be x's
		case x.Shape[i-lead] != d || d == onnx.Unknown:
			return nil, fmt.Errorf("%s: whether broadcasting stretched axis %d of %v to %v is unknown; bind it", c.n, i-lead, x.Shape, v.Shape)
		}
	}
	if drop != nil {
		v = c.ReduceSum(v, drop...)
	}
	if keep != nil {
		v = c.ReduceSumKeep(v, keep...)
	}
	return v, nil
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
