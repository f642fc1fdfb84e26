package step

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// spellDepthwise writes depthwise convolutions over small maps, such as the last stages of
// an EfficientNet, as products of matrices. With the map of each channel as one row of
// H·W numbers
//
//	Y[c] = X[c] · T[c]    X[c] (N, H·W), T[c] (H·W, H'·W')
//
// where T[c] has the weight of tap (i, j) wherever an output element meets an input element
// at that tap, itself a product of the weights (C, kH·kW) and a constant of zeros and ones.
// Its gradients are products too (grad's rule of MatMul).
//
// ONNX Runtime (1.32, CPU) has no kernel for depthwise weights that are inputs: it copies
// each window out, N·C small products after it. For X (16, 1152, 7, 7) and 5×5 in
// milliseconds of one core: forward 15 as Conv, 5 here; dX the same; dW 8 and 6.
func spellDepthwise(g *onnx.Graph) error {
	for _, n := range slices.Clone(g.Nodes) {
		if !smallDepthwise(n) {
			continue
		}
		err := insertBefore(g, n, func(e *onnx.Builder) {
			x, w, out := n.In[0], n.In[1], n.Out[0].Shape
			in, places := x.Shape[2]*x.Shape[3], out[2]*out[3]
			t := e.MatMul(e.Reshape(w, out[1], -1), e.Const("", meetings(n)))
			t = e.Reshape(t, out[1], in, places)
			rows := e.Reshape(e.Transpose(x, 1, 0, 2, 3), out[1], -1, in)
			replaceConv(e, n, e.Transpose(e.Reshape(e.MatMul(rows, t), out[1], -1, out[2], out[3]), 1, 0, 2, 3))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// smallDepthwise reports whether n is a depthwise Conv whose T[c] is small enough to pay.
func smallDepthwise(n *onnx.Node) bool {
	const most = 50 * 50 // elements of T[c]
	return depthwise(n) && tensor.Size(n.In[0].Shape[2:])*tensor.Size(n.Out[0].Shape[2:]) <= most
}

// depthwise reports whether n is a depthwise Conv in two dimensions, of float32, with more
// than one tap, explicit pads and computed weights, all sizes but N known.
func depthwise(n *onnx.Node) bool {
	if n.Op != "Conv" || n.Domain != "" || len(n.In[0].Shape) != 4 || n.In[0].DType != tensor.Float32 || n.In[1].IsConst() {
		return false
	}
	x, w, y, a := n.In[0].Shape, n.In[1].Shape, n.Out[0].Shape, n.Conv()
	if len(w) != 4 || len(y) != 4 || !x[1:].Static() || !w.Static() || !y[1:].Static() {
		return false
	}
	auto := a.AutoPad != "" && a.AutoPad != "NOTSET"
	return a.Group > 1 && a.Group == x[1] && w[0] == x[1] && w[2]*w[3] > 1 && !auto
}

// meetings is 1 where an output element meets an input element at a tap, (kH·kW,
// H·W·H'·W').
func meetings(n *onnx.Node) *tensor.Tensor {
	x, w, y, a := n.In[0].Shape, n.In[1].Shape, n.Out[0].Shape, n.Conv()
	places := y[2] * y[3]
	pairs := x[2] * x[3] * places
	list := make([]float32, w[2]*w[3]*pairs)
	for at := range places {
		p, q := at/y[3], at%y[3]
		for tap := range w[2] * w[3] {
			row := p*a.Strides[0] + tap/w[3]*a.Dilations[0] - a.Pads[0]
			column := q*a.Strides[1] + tap%w[3]*a.Dilations[1] - a.Pads[1]
			if row >= 0 && row < x[2] && column >= 0 && column < x[3] {
				list[tap*pairs+(row*x[3]+column)*places+at] = 1
			}
		}
	}
	return tensor.Of([]int64{w[2] * w[3], pairs}, list)
}
