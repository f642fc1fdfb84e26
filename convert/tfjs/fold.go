package tfjs

import (
	"math"

	"trilobite/onnx"
	"trilobite/tensor"
)

// fold takes a product or a sum with constants per channel into the convolution that
// made x, or y, if nothing else reads that; nil if it cannot.
//
//	(W ⋆ X + B)·s + t = (W·s) ⋆ X + (B·s + t)
//
// A sum reaches the convolution through another sum: (conv + X') + t = (conv + t) + X'.
func (c *converter) fold(op string, x, y *operand) *operand {
	isAdd := op == "Add" || op == "AddV2"
	if x.conv == nil && (isAdd || op == "Mul") {
		x, y = y, x // both commute
	}
	if x.conv == nil || x.uses != 1 || x.image == nil || len(x.image.Shape) != 4 {
		return nil
	}
	t := channels(y, x.image.Shape[1])
	if t == nil {
		return nil
	}
	switch {
	case op == "Mul" && x.exact:
		c.affine(x.conv, t, nil)
	case isAdd:
		c.affine(x.conv, nil, t)
	case op == "Sub":
		for i := range t {
			t[i] = -t[i]
		}
		c.affine(x.conv, nil, t)
	default:
		return nil
	}
	return &operand{image: x.image, conv: x.conv, exact: x.exact}
}

// remember notes in a sum which convolution its further addends may go into.
func (c *converter) remember(sum, x, y *operand) {
	for _, o := range []*operand{x, y} {
		same := o.image != nil && sum.image != nil && len(o.image.Shape) == 4 && len(sum.image.Shape) == 4 && o.image.Shape[1] == sum.image.Shape[1]
		if o.conv != nil && o.uses == 1 && same {
			sum.conv = o.conv
			return
		}
	}
}

// channels returns the elements of a float32 constant that is one number or one per
// channel of n, as n numbers; nil if o is anything else.
func channels(o *operand, n int64) []float64 {
	if o.v == nil || !o.v.IsConst() || n < 1 {
		return nil
	}
	d, ok := tensor.Data[float32](o.v.Data)
	shape := o.v.Data.Shape
	size := int64(len(d))
	if !ok || len(shape) > 4 || size != 1 && (size != n || shape[len(shape)-1] != n) {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(d[int64(i)%size])
	}
	return out
}

// affine multiplies the output of a Conv by scale and adds shift, each per channel
// and nil for none, by changing its weights and bias. Both are the Conv's own.
func (c *converter) affine(conv *onnx.Node, scale, shift []float64) {
	w, _ := tensor.Data[float32](conv.In[1].Data)
	m := int(conv.In[1].Data.Shape[0])
	if len(conv.In) < 3 {
		conv.In = append(conv.In, c.constant(conv.In[1].Name+"/bias", tensor.Of([]int64{int64(m)}, make([]float32, m))))
	}
	b, _ := tensor.Data[float32](conv.In[2].Data)
	k := len(w) / m
	for i := range m {
		bias := float64(b[i])
		if scale != nil {
			bias *= scale[i]
			for j := i * k; j < (i+1)*k; j++ {
				w[j] = float32(float64(w[j]) * scale[i])
			}
		}
		if shift != nil {
			bias += shift[i]
		}
		b[i] = float32(bias)
	}
}

// batchNorm is γ·(X − mean)/√(variance + ε) + β, per channel.
func batchNorm(c *converter, s *step) []*operand {
	c.checkFormat(s)
	if s.Attrs.Bool("is_training", false) {
		c.failf("is_training: statistics of the batch are not supported")
	}
	x := c.in(s, 0)
	eps := s.Attrs.Float("epsilon", 1e-4)
	if scale, shift := batchNormScale(c, s, x, eps); scale != nil {
		c.affine(x.conv, scale, shift)
		return one(&operand{image: x.image, conv: x.conv, exact: true})
	}
	var p []*onnx.Value
	for i := 1; i <= 4; i++ {
		p = append(p, c.plain(c.in(s, i)))
	}
	return one(&operand{image: c.b.BatchNormalization(c.nchw(x), p[0], p[1], p[2], p[3], float32(eps))})
}

// batchNormScale returns a batch normalisation as scale and shift if it can be folded
// into the convolution before it.
func batchNormScale(c *converter, s *step, x *operand, eps float64) (scale, shift []float64) {
	if x.conv == nil || !x.exact || x.uses != 1 || len(x.image.Shape) != 4 {
		return nil, nil
	}
	var p [4][]float64
	for i := range p {
		if p[i] = channels(c.in(s, i+1), x.image.Shape[1]); p[i] == nil {
			return nil, nil
		}
	}
	gamma, beta, mean, variance := p[0], p[1], p[2], p[3]
	scale, shift = gamma, beta
	for i := range scale {
		scale[i] /= math.Sqrt(variance[i] + eps)
		shift[i] -= mean[i] * scale[i]
	}
	return scale, shift
}
