package tfjs

import "math"

// cut is a slice of one axis, as ONNX spells it: negative places count from the end.
type cut struct{ start, end, step int64 }

// slice cuts size elements from begin on out of each axis; size -1 is all that follow.
func slice(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	begin := c.ints(s, 1)
	size, ok := c.numbers(c.in(s, 2))
	if c.err != nil || !ok || len(begin) != o.rank() || len(size) != o.rank() {
		c.failf("a slice that is not known of a tensor of shape %v", o.shape())
		return dead()
	}
	dims := c.dims(o)
	cuts := make([]cut, len(begin))
	for i, b := range begin {
		end := int64(math.MaxInt64)
		switch n := size[i]; {
		case b < 0 || b > math.MaxInt32 || n.known() && (n.n < -1 || n.n > math.MaxInt32):
			c.failf("begin %d of axis %d", b, i)
		case n.known() && n.n >= 0:
			end = b + n.n
		case !n.known() && (b != 0 || !n.same(dims[i])):
			c.failf("axis %d is cut to a size that is not known", i)
		}
		cuts[i] = cut{b, end, 1}
	}
	return one(c.cutAll(o, cuts))
}

// cutAll slices every axis of o, numbered as TensorFlow does, that loses something.
func (c *converter) cutAll(o *operand, cuts []cut) *operand {
	shape := o.shape()
	v, image := c.layout(o)
	var axes, starts, ends, steps []int64
	stepped := false
	for i, k := range cuts {
		if k.step == 1 && k.start == 0 && (k.end == math.MaxInt64 || shape[i] >= 0 && k.end >= shape[i]) {
			continue
		}
		at := int64(i)
		if image {
			at = nchwOf[i]
		}
		stepped = stepped || k.step != 1
		axes, starts, ends, steps = append(axes, at), append(starts, k.start), append(ends, k.end), append(steps, k.step)
	}
	switch {
	case len(axes) == 0:
	case stepped:
		v = c.b.SliceStep(v, axes, starts, ends, steps)
	default:
		v = c.b.Slice(v, axes, starts, ends)
	}
	return like(v, image)
}

// stridedSlice is NumPy's x[begin:end:stride, …]. Its masks are bits per entry: begin
// and end ask for the whole axis, ellipsis for all axes that are not mentioned,
// new_axis for one of size 1, shrink_axis for a single element without its axis.
func stridedSlice(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	begin, okB := c.numbers(c.in(s, 1))
	end, okE := c.numbers(c.in(s, 2))
	stride := c.ints(s, 3)
	if c.err != nil || !okB || !okE || len(end) != len(begin) || len(stride) != len(begin) || o.rank() < 0 || len(begin) > 32 {
		c.failf("a slice that is not known of a tensor of shape %v", o.shape())
		return dead()
	}
	bit := func(mask string, i int) bool { return s.Attrs.Int(mask, 0)>>i&1 == 1 }
	spare := o.rank() - len(begin) // axes for the ellipsis
	for i := range begin {
		if bit("new_axis_mask", i) || bit("ellipsis_mask", i) {
			spare++
		}
	}
	var cuts []cut
	var shrink, fresh []int64 // axes of o to drop; axes of the result to add
	at := 0                   // axis of the result
	dims := c.dims(o)
	for i := range begin {
		switch {
		case bit("ellipsis_mask", i):
			for ; spare > 0; spare-- {
				cuts = append(cuts, cut{0, math.MaxInt64, 1})
				at++
			}
			continue
		case bit("new_axis_mask", i):
			fresh = append(fresh, int64(at))
			at++
			continue
		}
		axis := len(cuts)
		if axis >= o.rank() {
			c.failf("more entries than the axes of shape %v", o.shape())
			return dead()
		}
		k, ok := cutOf(begin[i], end[i], stride[i], bit("begin_mask", i), bit("end_mask", i), dims[axis])
		if bit("shrink_axis_mask", i) {
			if ok = begin[i].known() && stride[i] > 0; ok {
				k = cut{begin[i].n, begin[i].n + 1, 1}
				if k.end == 0 {
					k.end = math.MaxInt64
				}
				shrink = append(shrink, int64(axis))
			}
		} else {
			at++
		}
		if !ok {
			c.failf("axis %d is cut at places that are not known", axis)
			return dead()
		}
		cuts = append(cuts, k)
	}
	for len(cuts) < o.rank() {
		cuts = append(cuts, cut{0, math.MaxInt64, 1})
	}
	if known, ok := c.numbers(o); ok && len(cuts) == 1 && len(fresh) == 0 {
		if part := cuts[0].of(known); part != nil {
			return one(describe(part, len(shrink) > 0 && len(part) == 1, o.elem()))
		}
	}
	y := c.cutAll(o, cuts)
	if len(shrink) > 0 {
		y = c.drop(y, shrink)
	}
	if len(fresh) > 0 {
		y = &operand{v: c.b.Unsqueeze(c.plain(y), fresh...)}
	}
	return one(y)
}

// cutOf is one entry of a strided slice; false if it is not known. A symbolic end that
// is the axis's own size is the whole axis.
func cutOf(begin, end number, stride int64, fromStart, toEnd bool, dim number) (cut, bool) {
	k := cut{begin.n, end.n, stride}
	if stride == 0 || stride > maxPad || stride < -maxPad {
		return k, false
	}
	if !end.known() && end.same(dim) && stride > 0 {
		toEnd = true
	}
	if !begin.known() && !fromStart || !end.known() && !toEnd {
		return k, false
	}
	if fromStart {
		if k.start = 0; stride < 0 {
			k.start = math.MaxInt64
		}
	}
	if toEnd {
		if k.end = math.MaxInt64; stride < 0 {
			k.end = math.MinInt64
		}
	}
	return k, true
}

// of applies a cut to known elements; nil where nothing, or something odd, remains.
func (k cut) of(xs []number) []number {
	n := int64(len(xs))
	from, to := k.start, k.end
	if from < 0 {
		from += n
	}
	if to < 0 {
		to += n
	}
	to = min(to, n)
	if k.step < 1 || from < 0 || from >= to {
		return nil
	}
	var out []number
	for i := from; i < to; i += k.step {
		out = append(out, xs[i])
	}
	return out
}
