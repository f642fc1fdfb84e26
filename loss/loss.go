// Package loss writes the losses that networks are trained with as ONNX graphs.
//
// Each function adds nodes to an onnx.Builder and returns the loss, a scalar of the
// prediction's type: the mean that PyTorch's function of the same name takes. All are
// built of standard operators whose gradients hold everywhere, also at 0 and at ties.
// What does not fit is an error of the Builder that names both shapes.
//
// Start at crossentropy.go; dice.go is for masks too, iou.go and ciou.go for boxes,
// elementwise.go and focal.go for two tensors of one shape.
// The package does not differentiate: see package grad.
package loss

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// floats reports whether x is a prediction that a loss can be taken of; if not, the
// Builder has the error.
func floats(b *onnx.Builder, what string, x *onnx.Value) bool {
	if b.Err() == nil && x.DType != tensor.Float32 && x.DType != tensor.Float64 {
		b.Fail(fmt.Errorf("%s of %q: it is %s, want float32 or float64", what, x.Name, x.DType))
	}
	return b.Err() == nil
}

// pair reports whether prediction and target are floats of one type and shape.
func pair(b *onnx.Builder, what string, x, target *onnx.Value) bool {
	if !floats(b, what, x) {
		return false
	}
	if x.DType != target.DType || !slices.Equal(x.Shape, target.Shape) {
		b.Fail(fmt.Errorf("%s of %q and %q: %s%v and %s%v are not alike",
			what, x.Name, target.Name, x.DType, x.Shape, target.DType, target.Shape))
	}
	return b.Err() == nil
}
