package grad

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// maxPoolRule is the gradient of MaxPool: each dY is added to the element of X that it
// came from, the first of equals in a window, a ScatterElements by MaxPool's indices.
// They are computed once more, unless the node gives them. Checked: testdata/pool*.npz.
func maxPoolRule(c *call) error {
	x, dY := c.n.In[0], c.dY[0]
	if dY == nil || c.n.Int("storage_order", 0) != 0 {
		return c.none("storage_order 1")
	}
	var indices *onnx.Value
	if len(c.n.Out) > 1 && c.n.Out[1] != nil {
		indices = c.n.Out[1]
	} else {
		_, indices = c.MaxPoolIndices(x, c.n.Pool())
	}
	zeros := c.ExpandTo(c.like(x, 0), c.Reshape(c.Size(x), 1))
	dX := c.ScatterElements(zeros, c.Reshape(indices, -1), c.Reshape(dY, -1), 0, "add")
	return c.give(0, c.reshapedLike(dX, x))
}

// globalMaxPoolRule is the gradient of GlobalMaxPool: dY goes to the spatial position
// of the maximum, in equal parts where several are, as torch.amax shares it. Checked:
// testdata/pool*.npz.
func globalMaxPoolRule(c *call) error {
	x, y := c.n.In[0], c.n.Out[0]
	if len(x.Shape) < 3 {
		return c.none("shape %v", x.Shape)
	}
	hit := c.mask(c.Equal(x, y), x)
	return c.give(0, c.Mul(hit, c.Div(c.dY[0], c.ReduceSumKeep(hit, count(2, len(x.Shape)-2)...))))
}

// averagePoolRule is the gradient of AveragePool: dY / count is added to every element
// of its window, a ConvTranspose with ones, each channel taken for a sample of its own.
// count is the number of elements averaged: those of X in the window and, if padding
// counts, those of the pads given, which a window of ceil_mode may still exceed. All
// sizes but N must be known. Checked: testdata/pool*.npz.
func averagePoolRule(c *call) error {
	x, y, dY := c.n.In[0], c.n.Out[0], c.dY[0]
	p := c.n.Pool()
	if len(x.Shape) < 3 || !x.Shape[1:].Static() || !fits(y.Shape[2:]) || !fits(p.Kernel) || x.DType != tensor.Float32 {
		return c.none("%s %v: bind all sizes but the batch", x.DType, x.Shape)
	}
	a := c.window(onnx.ConvAttrs{Strides: p.Strides, Dilations: p.Dilations, Pads: p.Pads, AutoPad: p.AutoPad}, p.Kernel)
	shares := tensor.Of(slices.Concat([]int64{1, 1}, y.Shape[2:]), c.shares(p, a))
	dY = c.Reshape(c.Mul(dY, c.Const("", shares)), slices.Concat([]int64{-1, 1}, y.Shape[2:])...)
	ones := make([]float32, tensor.Size(p.Kernel))
	for i := range ones {
		ones[i] = 1
	}
	w := c.Const("", tensor.Of(slices.Concat([]int64{1, 1}, p.Kernel), ones))
	dX := c.transposed(dY, w, a)
	return c.give(0, c.reshapedLike(dX, x))
}

// shares is 1 / count for each window, the last axis fastest.
func (c *call) shares(p onnx.PoolAttrs, a onnx.ConvAttrs) []float32 {
	in, out := c.n.In[0].Shape[2:], c.n.Out[0].Shape[2:]
	pads := a.Pads
	if p.AutoPad == "NOTSET" {
		pads = p.Pads
	}
	if !p.CountIncludePad {
		pads = make([]int64, len(pads))
	}
	list := []float32{1}
	for i, size := range out {
		var next []float32
		for _, have := range list {
			for o := range size {
				n := int64(0)
				for tap := range p.Kernel[i] {
					at := o*a.Strides[i] + tap*a.Dilations[i] - a.Pads[i]
					if at >= -pads[i] && at < in[i]+pads[len(in)+i] {
						n++
					}
				}
				next = append(next, have/float32(max(n, 1)))
			}
		}
		list = next
	}
	return list
}
