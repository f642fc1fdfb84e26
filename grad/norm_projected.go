package grad

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Projection returns the 1×1 Conv that computes the input of a BatchNormalization in
// training mode where both are better taken together, nil elsewhere. uses is that of the
// graph.
//
// With few input channels C, as where a block of MobileNetV2 expands, the statistics of
// the Conv's M outputs follow from those of its input A,
//
//	mean = W·mean(A)    variance[m] = W[m]·Σ·W[m]'    Σ = A°·A°' / count    A° = A − mean(A)
//
// and the normalisation is a Conv of A° by r·W, so that none of ten passes over M channels
// is left. Σ and one more product by a C×C matrix for dA cost what these passes do for
// C of about 5·√M.
func Projection(n *onnx.Node, uses map[*onnx.Value]int) *onnx.Node {
	conv := n.In[0].Node
	if conv == nil || conv.Op != "Conv" || conv.Domain != "" || conv.Input(2) != nil || uses[n.In[0]] != 1 {
		return nil
	}
	x, w, a := conv.In[0], conv.In[1], conv.Conv()
	plain := x.DType == tensor.Float32 && len(x.Shape) > 2 && len(w.Shape) == len(x.Shape) && w.Shape.Static() && x.Shape[1:].Static() &&
		a.Group == 1 && tensor.Size(w.Shape[2:]) == 1 && slices.Max(a.Strides) == 1 && slices.Min(a.Pads) == 0 && slices.Max(a.Pads) == 0
	if !plain {
		return nil
	}
	m, c := w.Shape[0], w.Shape[1]
	if 7*c*c/100+c >= 2*m {
		return nil
	}
	return conv
}

// Projected is what a BatchNormalization and the 1×1 Conv before it have in common with
// their derivatives.
type Projected struct {
	Mean, Variance *onnx.Value // of the Conv's outputs, (M)
	Off            *onnx.Value // A° (N, C, …)
	W              *onnx.Value // r·W, of W's shape

	r, inverse *onnx.Value // (M)
	covariance *onnx.Value // W·Σ (M, C)
}

// Project computes the parts of norm, whose Projection is conv, by the same nodes for its
// forward pass and its rule.
//
// Σ is summed in float64: a row of W may lie where A varies least, and its variance be
// the small difference of large numbers.
func Project(b *onnx.Builder, norm, conv *onnx.Node) Projected {
	x, w := conv.In[0], conv.In[1]
	axes := others(len(x.Shape), 1)
	m, c := w.Shape[0], w.Shape[1]
	mean := b.ReduceMeanKeep(x, axes...)
	p := Projected{Off: b.Sub(x, mean)}
	rows := b.Reshape(w, m, c)
	p.Mean = b.Reshape(b.MatMul(rows, b.Reshape(mean, c, 1)), -1)

	wide, exact := b.Cast(b.Reshape(p.Off, 0, c, -1), tensor.Float64), b.Cast(rows, tensor.Float64)
	size := b.Scalar(tensor.Float64, 1/float64(product(x.Shape[2:])))
	sigma := b.Mul(b.ReduceMean(b.MatMul(wide, b.Transpose(wide, 0, 2, 1)), 0), size)
	covariance := b.MatMul(exact, sigma)
	p.Variance = b.Cast(b.ReduceSum(b.Mul(covariance, exact), 1), w.DType)
	p.covariance = b.Cast(covariance, w.DType)

	p.inverse = Inverse(b, norm, p.Variance)
	p.r = b.Mul(norm.In[1], p.inverse)
	p.W = b.ReshapeTo(b.Mul(rows, b.Reshape(p.r, m, 1)), b.Ints(w.Shape...))
	return p
}

// projectedNorm is the rule of a BatchNormalization in training mode together with the
// 1×1 Conv before it, Y = bias + (r·W)·A° (see Projection):
//
//	bias   dBias = ΣdY
//	scale  dScale = q / √(variance + epsilon)      q[m] = P[m]·W[m]'    P = dY·A°'
//	W      dW = r·P − t·W·Σ                        t = r·q / (variance + epsilon)
//	A      dA = (r·W)'·dY − W'·(t/count·W)·A° − (r·W)'·dBias/count
//
// which is batchNormRule's with X = W·A put in. Checked: norm_projected_test.go.
func (c *call) projectedNorm(conv *onnx.Node) error {
	x, w, dY := conv.In[0], conv.In[1], c.dY[0]
	p := Project(c.Builder, c.n, conv)
	m, channels := w.Shape[0], w.Shape[1]
	rows := c.Reshape(w, m, channels)
	normal := &call{walk: c.walk, n: &onnx.Node{Name: conv.Name, Op: conv.Op, In: []*onnx.Value{p.Off, w}, Out: conv.Out}, dY: c.dY}
	products := c.Reshape(normal.convWeight(conv.Conv()), m, channels)
	q := c.ReduceSum(c.Mul(products, rows), 1)
	dBias := c.ReduceSum(dY, others(len(x.Shape), 1)...)
	t := c.Mul(c.Mul(p.r, q), c.Mul(p.inverse, p.inverse))
	before := &call{walk: c.walk, n: conv}
	if before.wants(1) {
		dW := c.Sub(c.Mul(products, c.Reshape(p.r, m, 1)), c.Mul(p.covariance, c.Reshape(t, m, 1)))
		if err := before.give(1, c.reshapedLike(dW, w)); err != nil {
			return err
		}
	}
	if before.wants(0) {
		count := c.count(dY, dBias)
		back := c.reversed(p.W, 1) // (C, M, 1, …)
		even := c.MatMul(c.Reshape(back, channels, m), c.Reshape(c.Div(dBias, count), m, 1))
		tilt := c.MatMul(c.Transpose(rows, 1, 0), c.Mul(rows, c.Reshape(c.Div(t, c.Neg(count)), m, 1)))
		tilt = c.Reshape(tilt, slices.Concat([]int64{channels, channels}, w.Shape[2:])...)
		dX := c.Conv(dY, back, c.Neg(c.Reshape(even, -1)), onnx.ConvAttrs{})
		if err := before.give(0, c.Add(c.Conv(p.Off, tilt, nil, onnx.ConvAttrs{}), dX)); err != nil {
			return err
		}
	}
	if c.wants(1) {
		if err := c.give(1, c.Mul(q, p.inverse)); err != nil {
			return err
		}
	}
	if !c.wants(2) {
		return nil
	}
	return c.give(2, dBias)
}
