package tfjs

import (
	"trilobite/onnx"
	"trilobite/tensor"
)

// concat joins tensors along an axis, the last input (the first of Concat).
func concat(c *converter, s *step) []*operand {
	var os []*operand
	at := len(s.in) - 1
	if s.Op == "Concat" {
		at = 0
	}
	axis := c.int1(s, at)
	for i := range s.in {
		if i != at {
			os = append(os, c.in(s, i))
		}
	}
	if c.err != nil || len(os) == 0 || os[0].rank() < 1 {
		c.failf("nothing to join")
		return dead()
	}
	axis = c.axis(axis, os[0].rank())
	if all, ok := c.joined(os); ok {
		return one(describe(all, false, os[0].elem()))
	}
	image := false
	for _, o := range os {
		image = image || o.isImage()
	}
	vs := make([]*onnx.Value, len(os))
	for i, o := range os {
		if image {
			vs[i] = c.nchw(o)
		} else {
			vs[i] = c.plain(o)
		}
	}
	if image {
		axis = nchwOf[axis]
	}
	return one(like(c.b.Concat(axis, vs...), image))
}

// joined returns the elements of all operands, one after another, if they are known.
func (c *converter) joined(os []*operand) ([]number, bool) {
	all := []number{}
	for _, o := range os {
		known, ok := c.numbers(o)
		if !ok || o.rank() > 1 || len(all)+len(known) > maxKnown {
			return nil, false
		}
		all = append(all, known...)
	}
	return all, true
}

// pack joins tensors along a new axis.
func pack(c *converter, s *step) []*operand {
	var os []*operand
	for i := range s.in {
		os = append(os, c.in(s, i))
	}
	if c.err != nil || len(os) == 0 || os[0].rank() < 0 {
		c.failf("nothing to pack")
		return dead()
	}
	axis := c.axis(s.Attrs.Int("axis", 0), os[0].rank()+1)
	if all, ok := c.joined(os); ok && os[0].rank() == 0 {
		return one(describe(all, false, os[0].elem()))
	}
	vs := make([]*onnx.Value, len(os))
	for i, o := range os {
		vs[i] = c.b.Unsqueeze(c.plain(o), axis)
	}
	return one(&operand{v: c.b.Concat(axis, vs...)})
}

// maxPieces bounds what a tensor is cut into.
const maxPieces = 1 << 12

// unpack returns the tensors that pack joined; those that nothing reads are not made.
func unpack(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	if c.err != nil || o.rank() < 1 {
		c.failf("a tensor of shape %v", o.shape())
		return dead()
	}
	axis := c.axis(s.Attrs.Int("axis", 0), o.rank())
	n := o.shape()[axis]
	if n < 0 {
		n = s.Attrs.Int("num", -1)
	}
	if n < 0 || n > maxPieces {
		c.failf("%d pieces", n)
		return dead()
	}
	out := make([]*operand, n)
	if known, ok := c.numbers(o); ok && len(known) == len(out) {
		for i := range out {
			out[i] = describe(known[i:i+1], true, o.elem())
		}
		return out
	}
	for i := range out {
		if c.uses[ref{s.Name, i}] == 0 {
			continue
		}
		axes := []int64{axis}
		v := c.orient(o, o.isImage() && dropKeepsOrder(axes), axes)
		out[i] = &operand{v: c.b.Gather(v, c.b.Int(int64(i)), axes[0])}
	}
	return out
}

// splitAxis cuts a tensor along an axis: Split(axis, x) into num_split equal pieces,
// SplitV(x, sizes, axis) into pieces of given sizes.
func splitAxis(c *converter, s *step) []*operand {
	xAt, axisAt := 1, 0
	if s.Op == "SplitV" {
		xAt, axisAt = 0, 2
	}
	o := c.in(s, xAt)
	axis := c.int1(s, axisAt)
	if c.err != nil || o.rank() < 1 {
		c.failf("a tensor of shape %v", o.shape())
		return dead()
	}
	axis = c.axis(axis, o.rank())
	total := o.shape()[axis]
	var sizes []int64
	if s.Op == "SplitV" {
		sizes = append(sizes, c.ints(s, 1)...)
		rest, free := total, -1
		for i, n := range sizes {
			if n < 0 {
				free = i
			} else {
				rest -= n
			}
		}
		if free >= 0 {
			sizes[free] = rest
		}
	} else if n := s.Attrs.Int("num_split", 0); n > 0 && n <= maxPieces && total >= 0 {
		for range n {
			sizes = append(sizes, total/n)
		}
	}
	sum := int64(0)
	for _, n := range sizes {
		if n < 0 || n > maxWeights {
			sum = -1
			break
		}
		sum += n
	}
	if len(sizes) == 0 || len(sizes) > maxPieces || sum != total {
		c.failf("pieces of %v along axis %d of a tensor of shape %v", sizes, axis, o.shape())
		return dead()
	}
	v, image := c.layout(o)
	if image {
		axis = nchwOf[axis]
	}
	var out []*operand
	for _, piece := range c.b.Split(v, axis, sizes...) {
		out = append(out, like(piece, image))
	}
	return out
}

// gather picks slices of x along an axis.
func gather(c *converter, s *step) []*operand {
	o, index := c.in(s, 0), c.in(s, 1)
	axis := int64(0)
	if s.Op == "GatherV2" {
		axis = c.int1(s, 2)
	}
	if s.Attrs.Int("batch_dims", 0) != 0 {
		c.failf("batch_dims is not supported")
	}
	if c.err != nil || o.rank() < 1 {
		c.failf("a tensor of shape %v", o.shape())
		return dead()
	}
	axis = c.axis(axis, o.rank())
	if known, ok := c.numbers(o); ok {
		if at, ok := c.numbers(index); ok {
			var out []number
			for _, i := range at {
				if !i.known() || i.n < 0 || i.n >= int64(len(known)) {
					c.failf("index outside of %d elements", len(known))
					return dead()
				}
				out = append(out, known[i.n])
			}
			return one(describe(out, index.rank() == 0, o.elem()))
		}
	}
	if o.isImage() && index.rank() == 1 {
		return one(&operand{image: c.b.Gather(c.nchw(o), c.plain(index), nchwOf[axis])})
	}
	return one(&operand{v: c.b.Gather(c.plain(o), c.plain(index), axis)})
}

// tile repeats a tensor along its axes.
func tile(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	by, ok := c.numbers(c.in(s, 1))
	if !ok || len(by) != o.rank() {
		c.failf("multiples of a tensor of shape %v that are not known", o.shape())
		return dead()
	}
	v, image := c.layout(o)
	if image {
		by = toNCHWNumbers(by)
	}
	same := true
	for _, n := range by {
		same = same && n.same(number{n: 1})
		if n.known() && (n.n < 0 || n.n > maxPad) {
			c.failf("%d copies", n.n)
			return dead()
		}
	}
	if same {
		return one(like(v, image))
	}
	return one(like(c.b.Op("Tile", []*onnx.Value{v, c.numberTensor(by)}, nil, 1)[0], image))
}

func toNCHWNumbers(x []number) []number { return []number{x[0], x[3], x[1], x[2]} }

// broadcastTo stretches a tensor to a shape.
func broadcastTo(c *converter, s *step) []*operand {
	shape, ok := c.numbers(c.in(s, 1))
	if !ok {
		c.failf("a shape that is not known")
		return dead()
	}
	return one(&operand{v: c.b.ExpandTo(c.plain(c.in(s, 0)), c.numberTensor(shape))})
}

// fill makes a tensor of one value.
func fill(c *converter, s *step) []*operand {
	shape, ok := c.numbers(c.in(s, 0))
	if !ok {
		c.failf("a shape that is not known")
		return dead()
	}
	o := c.in(s, 1)
	if known, ok := c.numbers(o); ok && len(known) == 1 && len(shape) == 1 && shape[0].known() && shape[0].n >= 0 && shape[0].n <= maxKnown {
		out := make([]number, shape[0].n)
		for i := range out {
			out[i] = known[0]
		}
		return one(describe(out, false, o.elem()))
	}
	return one(&operand{v: c.b.ExpandTo(c.plain(o), c.numberTensor(shape))})
}

func filledLike(c *converter, s *step) []*operand {
	v, image := c.layout(c.in(s, 0))
	fill := 0.0
	if s.Op == "OnesLike" {
		fill = 1
	}
	return one(like(c.b.ExpandTo(c.b.Scalar(v.DType, fill), c.b.Shape(v)), image))
}

// rangeOf counts from start to limit.
func rangeOf(c *converter, s *step) []*operand {
	a, okA := c.numbers(c.in(s, 0))
	z, okZ := c.numbers(c.in(s, 1))
	by, okBy := c.numbers(c.in(s, 2))
	if okA && okZ && okBy && len(a) == 1 && len(z) == 1 && len(by) == 1 && a[0].known() && z[0].known() && by[0].known() {
		start, limit, delta := a[0].n, z[0].n, by[0].n
		if delta != 0 && (limit-start)/delta <= maxKnown && max(start, -start, limit, -limit) < 1<<31 {
			out := []number{}
			for v := start; delta > 0 && v < limit || delta < 0 && v > limit; v += delta {
				out = append(out, number{n: v})
			}
			return one(describe(out, false, c.in(s, 0).elem()))
		}
	}
	v := c.b.Range(c.plain(c.in(s, 0)), c.plain(c.in(s, 1)), c.plain(c.in(s, 2)))
	if v.DType == tensor.Invalid {
		c.failf("a range of unknown type")
	}
	return one(&operand{v: v})
}
