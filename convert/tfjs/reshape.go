package tfjs

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// reshape gives a tensor another shape. A batch that varies stays out of the constant
// shape: as 0, the input's own size, or as -1.
func reshape(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	to, ok := c.numbers(c.in(s, 1))
	if known, isKnown := c.numbers(o); ok && isKnown && len(to) <= 1 {
		if len(to) == 1 || len(known) == 1 {
			return one(describe(known, len(to) == 0, o.elem()))
		}
	}
	var x *onnx.Value
	if !o.isImage() {
		x = c.plain(o)
	} else if x = c.nchw(o); len(x.Shape) != 4 || !sameOrder(x.Shape) {
		x = c.plain(o)
	}
	if !ok {
		shape := c.plain(c.in(s, 1))
		if shape.DType != tensor.Int64 {
			shape = c.b.Cast(shape, tensor.Int64)
		}
		return one(&operand{v: c.b.ReshapeTo(x, shape)})
	}
	dims, ok := c.constShape(o, x, to)
	if !ok {
		return one(&operand{v: c.b.ReshapeTo(x, c.numberTensor(to))})
	}
	y := c.b.Reshape(x, dims...)
	for i, t := range to { // inference cannot see which symbol -1 stands for
		if !t.known() && len(y.Shape) == len(to) && y.Shape[i] == onnx.Unknown && t.dim < onnx.Unknown {
			y.Shape[i] = t.dim
		}
	}
	return one(&operand{v: y})
}

// constShape writes the shape of a Reshape of o, whose value is x, as a constant: 0
// keeps the size that x has there, -1 is what remains. False if that does not suffice.
func (c *converter) constShape(o *operand, x *onnx.Value, to []number) ([]int64, bool) {
	from := c.dims(o)
	out := make([]int64, len(to))
	free := -1 // the axis that is -1
	for i, t := range to {
		switch {
		case t.known() && t.n == 0, t.known() && t.n < -1:
			return nil, false // 0 means an empty tensor here, and not in ONNX
		case t.known():
			out[i] = t.n
			if t.n == -1 {
				if free >= 0 {
					c.failf("two axes of -1 in a shape")
				}
				free = i
			}
		default:
			out[i] = 0
		}
	}
	for i, t := range to {
		if t.known() {
			continue
		}
		// Axis 0 is the same in both layouts.
		if i < len(from) && t.same(from[i]) && (i == 0 || x == o.v) {
			continue
		}
		if free >= 0 {
			return nil, false
		}
		free, out[i] = i, -1
	}
	c.generalise(from, out, free)
	return out, true
}

// generalise lets a shape that was frozen with a batch of one hold any batch. from is
// the input's shape, whose first axis only varies; out is -1 at free, if that is >= 0.
func (c *converter) generalise(from []number, out []int64, free int) {
	if len(from) == 0 || len(out) == 0 || from[0].known() || out[0] < 1 {
		return
	}
	if out[0] == 1 && free >= 0 {
		if from[0].dim < onnx.Unknown { // a batch that was not flattened
			out[0] = 0
		}
		return
	}
	in, result := int64(1), int64(1)
	for _, d := range from[1:] {
		if !d.known() || d.n > maxPad || in > maxWeights {
			return
		}
		in *= max(d.n, 0)
	}
	for _, d := range out {
		if d < 1 || d > maxPad || result > maxWeights {
			return
		}
		result *= d
	}
	switch {
	case out[0] == 1 && in == result:
		out[0] = 0 // one image in, one out
	case in > 0 && result%in == 0 || out[0] == 1 && result%max(in, 1) == 0 || in == result:
		out[0] = -1 // rows of all images together
	}
}

// squeeze removes axes of size 1.
func squeeze(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	axes := c.axes(o, s.Attrs.Ints("squeeze_dims"))
	if axes == nil {
		axes = c.axes(o, s.Attrs.Ints("axis"))
	}
	if c.err != nil {
		return dead()
	}
	if axes == nil {
		for i, d := range o.shape() {
			if d < 0 && i > 0 {
				c.failf("squeezing a tensor of shape %v without naming axes", o.shape())
				return dead()
			}
			if d == 1 {
				axes = append(axes, int64(i))
			}
		}
	}
	return one(c.drop(o, axes))
}

// drop removes axes of size 1, NHWC numbered.
func (c *converter) drop(o *operand, axes []int64) *operand {
	if known, ok := c.numbers(o); ok && len(axes) == 1 && len(known) == 1 {
		return describe(known, true, o.elem())
	}
	if len(axes) == 0 {
		v, image := c.layout(o)
		return like(v, image)
	}
	axes = slices.Clone(axes)
	v := c.orient(o, o.isImage() && dropKeepsOrder(axes), axes)
	return &operand{v: c.b.Squeeze(v, axes...)}
}

func expandDims(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	if c.err != nil || o.rank() < 0 {
		c.failf("a tensor of unknown rank")
		return dead()
	}
	axis := c.axis(c.int1(s, 1), o.rank()+1)
	if known, ok := c.numbers(o); ok && o.rank() == 0 {
		return one(describe(known, false, o.elem()))
	}
	return one(&operand{v: c.b.Unsqueeze(c.plain(o), axis)})
}

// permute is Transpose. Of an image it may be a change of layout, which is free.
func permute(c *converter, s *step) []*operand {
	o, perm := c.in(s, 0), slices.Clone(c.ints(s, 1))
	if c.err != nil {
		return dead()
	}
	sorted := slices.Sorted(slices.Values(perm))
	for i, p := range sorted {
		if p != int64(i) || o.rank() >= 0 && len(perm) != o.rank() {
			c.failf("permutation %v of a tensor of shape %v", perm, o.shape())
			return dead()
		}
	}
	if slices.IsSorted(perm) {
		v, image := c.layout(o)
		return one(like(v, image))
	}
	if !o.isImage() {
		v := c.plain(o)
		if v.IsConst() {
			return one(&operand{v: c.constant(v.Name+"/T", transpose(v.Data, perm))})
		}
		if slices.Equal(perm, nchwOf) { // NCHW to NHWC
			return one(&operand{image: v})
		}
		return one(&operand{v: c.b.Transpose(v, perm...)})
	}
	v := c.nchw(o)
	for i, p := range perm {
		perm[i] = nchwOf[p]
	}
	if slices.IsSorted(perm) {
		return one(&operand{v: v})
	}
	return one(&operand{v: c.b.Transpose(v, perm...)})
}

// shapeOf describes the sizes of a tensor without computing anything.
func shapeOf(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	dtype := s.Attrs.DType("out_type", tensor.Int32)
	if o.window != nil && o.v == nil {
		c.nchw(o)
	}
	if dims := c.dims(o); dims != nil {
		return one(describe(dims, false, dtype))
	}
	return one(&operand{v: c.b.Cast(c.b.Shape(c.plain(o)), dtype)})
}

func sizeOf(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	dims := c.dims(o)
	if dims == nil {
		c.failf("a tensor of unknown rank")
		return dead()
	}
	n := number{n: int64(len(dims))}
	if s.Op == "Size" {
		var ok bool
		if n, ok = product(dims); !ok {
			return one(&operand{v: c.b.Cast(c.b.Size(c.plain(o)), s.Attrs.DType("out_type", tensor.Int32))})
		}
	}
	return one(describe([]number{n}, true, s.Attrs.DType("out_type", tensor.Int32)))
}
