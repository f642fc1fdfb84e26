package tfjs

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// pool is MaxPool or AvgPool; the mean leaves padding out.
func pool(c *converter, s *step) []*operand {
	p := c.spatial(s)
	kernel := c.heightWidth(s, "ksize")
	x := c.nchw(c.in(s, 0))
	if c.err != nil || len(x.Shape) != 4 {
		return dead()
	}
	a := onnx.PoolAttrs{Kernel: kernel, Strides: p.strides}
	a.Pads, a.AutoPad = p.pads(x.Shape, kernel)
	switch {
	case s.Op == "MaxPool":
		return one(&operand{image: c.b.MaxPool(x, a)})
	case slices.Equal(kernel, x.Shape[2:]) && p.padding == "VALID":
		return one(&operand{image: c.b.GlobalAveragePool(x)})
	default:
		return one(&operand{image: c.b.AveragePool(x, a)})
	}
}

// reduce takes the mean, sum, … over axes.
func reduce(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	keep := s.Attrs.Bool("keep_dims", s.Attrs.Bool("keepdims", false))
	axes := c.axes(o, c.ints(s, 1))
	if known, ok := c.numbers(o); ok && s.Op == "Prod" && len(axes) == 1 && !keep {
		if p, ok := product(known); ok {
			return one(describe([]number{p}, true, o.elem()))
		}
	}
	if c.err != nil {
		return dead()
	}
	if len(axes) == 0 { // ONNX would take no axes for all of them
		v, image := c.layout(o)
		return one(like(v, image))
	}
	image := o.isImage() && (keep || dropKeepsOrder(axes))
	v := c.orient(o, image, axes)
	if image && s.Op == "Mean" && slices.Equal(axes, []int64{2, 3}) {
		if v = c.b.GlobalAveragePool(v); !keep {
			return one(&operand{v: c.b.Flatten(v, 1)})
		}
		return one(&operand{image: v})
	}
	name := map[string]string{"Mean": "ReduceMean", "Sum": "ReduceSum", "Max": "ReduceMax", "Min": "ReduceMin", "Prod": "ReduceProd"}[s.Op]
	attrs := map[string]any{"keepdims": int64(0)}
	if keep {
		attrs["keepdims"] = int64(1)
	}
	y := c.b.Op(name, []*onnx.Value{v, c.b.Ints(axes...)}, attrs, 1)[0]
	return one(like(y, image && keep))
}

// axes counts axes from the front, sorted and each once.
func (c *converter) axes(o *operand, axes []int64) []int64 {
	rank := o.rank()
	if rank < 0 {
		c.failf("axes %v of a tensor of unknown rank", axes)
		return nil
	}
	var out []int64
	for _, a := range axes {
		out = append(out, c.axis(a, rank))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// orient returns o in the asked layout and renumbers NHWC axes in place to match.
func (c *converter) orient(o *operand, image bool, axes []int64) *onnx.Value {
	if !image {
		return c.plain(o)
	}
	for i, a := range axes {
		axes[i] = nchwOf[a]
	}
	slices.Sort(axes)
	return c.nchw(o)
}

// dropKeepsOrder reports whether NHWC without some axes is NCHW without them.
func dropKeepsOrder(axes []int64) bool {
	c := slices.Contains(axes, 3)
	return c || slices.Contains(axes, 1) && slices.Contains(axes, 2)
}

// product multiplies numbers, at most one of which is not known.
func product(xs []number) (number, bool) {
	p := number{n: 1}
	for _, x := range xs {
		r, ok := calculate("Mul", []number{p}, []number{x})
		if !ok {
			return p, false
		}
		p = r[0]
	}
	return p, true
}

// argMax returns the place of the largest element along an axis.
func argMax(c *converter, s *step) []*operand {
	o := c.in(s, 0)
	if c.err != nil || o.rank() < 0 {
		c.failf("a tensor of unknown rank")
		return dead()
	}
	axes := []int64{c.axis(c.int1(s, 1), o.rank())}
	v := c.orient(o, o.isImage() && dropKeepsOrder(axes), axes)
	y := c.b.Op(s.Op, []*onnx.Value{v}, map[string]any{"axis": axes[0], "keepdims": int64(0)}, 1)[0]
	if s.Attrs.DType("output_type", tensor.Int64) == tensor.Int32 {
		y = c.b.Cast(y, tensor.Int32)
	}
	return one(&operand{v: y})
}

// softmax is over the last axis, the channels of an image.
func softmax(c *converter, s *step) []*operand {
	v, image := c.layout(c.in(s, 0))
	axis := int64(-1)
	if image {
		axis = 1
	}
	return one(like(c.b.Op(s.Op, []*onnx.Value{v}, map[string]any{"axis": axis}, 1)[0], image))
}

// resize scales an image to a constant height and width. TensorFlow's two flags choose
// where an output pixel is read: by default pixel i at i·in/out; with
// half_pixel_centers (i + ½)·in/out − ½; with align_corners i·(in − 1)/(out − 1).
func resize(c *converter, s *step) []*operand {
	size := c.ints(s, 1)
	x := c.nchw(c.in(s, 0))
	if c.err != nil || len(size) != 2 || size[0] < 1 || size[1] < 1 || size[0] > maxPad || size[1] > maxPad {
		c.failf("size %v", size)
		return dead()
	}
	corners, centers := s.Attrs.Bool("align_corners", false), s.Attrs.Bool("half_pixel_centers", false)
	if len(x.Shape) == 4 && slices.Equal(x.Shape[2:], size) {
		return one(&operand{image: x})
	}
	a := onnx.ResizeAttrs{Mode: "linear", Coordinates: "asymmetric", Axes: []int64{2, 3}}
	if s.Op == "ResizeNearestNeighbor" {
		a.Mode, a.Nearest = "nearest", "floor"
	}
	switch {
	case corners:
		a.Coordinates = "align_corners"
	case centers:
		a.Coordinates = "half_pixel"
	}
	if a.Nearest != "" && (corners || centers) {
		a.Nearest = "round_prefer_ceil" // floor(x + ½): of half_pixel's x, or rounding
	}
	y := &operand{image: c.b.ResizeTo(x, size, a)}
	if y.elem() != tensor.Float32 && s.Op == "ResizeBilinear" {
		c.failf("bilinear resize of %s", y.elem())
	}
	return one(y)
}

// depthToSpace moves channels into blocks of pixels, or back.
func depthToSpace(c *converter, s *step) []*operand {
	c.checkFormat(s)
	n := s.Attrs.Int("block_size", 0)
	x := c.nchw(c.in(s, 0))
	if n < 1 || n > maxPad {
		c.failf("block_size %d", n)
		return dead()
	}
	if s.Op == "DepthToSpace" {
		return one(&operand{image: c.b.DepthToSpace(x, n, "DCR")})
	}
	return one(&operand{image: c.b.SpaceToDepth(x, n)})
}
