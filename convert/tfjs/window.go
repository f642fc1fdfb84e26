package tfjs

import (
	"slices"

	"trilobite/onnx"
)

// window is an image on its way to a convolution or from one: padded, and perhaps
// with its pixels dealt out to block[0]·block[1] smaller images along the batch. It is
// not written before it is read, since a convolution takes both into its attributes.
type window struct {
	src     *operand
	pads    []int64 // zeros around src: top, left, bottom, right
	block   []int64 // SpaceToBatchND's block: height, width; nil for padding alone
	batched bool    // src is the result of a convolution that was dilated by block instead:
	conv    *onnx.Node
}

func (w *window) shape() onnx.Shape {
	s := slices.Clone(w.src.shape())
	if len(s) != 4 {
		return nil
	}
	for i := range 2 {
		if s[1+i] >= 0 {
			s[1+i] += w.pads[i] + w.pads[2+i]
		}
		if w.block != nil && s[1+i] >= 0 {
			s[1+i] = (s[1+i] + w.block[i] - 1) / w.block[i]
		}
	}
	if w.block != nil {
		s[0] = onnx.Unknown
	}
	return s
}

// fits reports whether a convolution with attributes p can take the window in: space
// to batch, convolve with stride 1, batch to space is a dilated convolution
// (Chen et al., arXiv:1706.05587, write it as one).
func (w *window) fits(p spatial) bool {
	if w.batched || p.padding == "SAME" {
		return false
	}
	return w.block == nil || p.padding == "VALID" && slices.Max(p.strides) == 1 && slices.Max(p.dilations) == 1
}

// into adds the window to a convolution's attributes.
func (w *window) into(p spatial) spatial {
	if p.explicit == nil {
		p.padding, p.explicit = "EXPLICIT", make([]int64, 4)
	}
	p.explicit = slices.Clone(p.explicit)
	for i, v := range w.pads {
		p.explicit[i] += v
	}
	if w.block != nil {
		p.dilations = w.block
	}
	return p
}

// padded writes a window that no convolution took, as NCHW.
func (c *converter) padded(w *window) *onnx.Value {
	if w.block != nil {
		c.failf("SpaceToBatchND is supported only as SpaceToBatchND, a convolution with stride 1 and VALID padding, BatchToSpaceND")
		return &onnx.Value{}
	}
	p := w.pads
	return c.b.Pad(c.nchw(w.src), 0, 0, p[0], p[1], 0, 0, p[2], p[3])
}

// pad surrounds a tensor; zeros around an image's pixels wait for a convolution.
func pad(c *converter, s *step) []*operand {
	x, p := c.in(s, 0), c.ints(s, 1)
	if c.err != nil || len(p) != 2*x.rank() || slices.ContainsFunc(p, func(v int64) bool { return v < 0 || v > maxPad }) {
		c.failf("paddings %v of a tensor of shape %v", p, x.shape())
		return dead()
	}
	mode := "constant"
	var value *onnx.Value
	if s.Op == "PadV2" {
		value = c.plain(c.in(s, 2))
	}
	if s.Op == "MirrorPad" {
		if mode = "reflect"; s.Attrs.Str("mode", "REFLECT") != "REFLECT" {
			c.failf("mode %s is not supported", s.Attrs.Str("mode", ""))
		}
	}
	if image := x.isImage(); image && mode == "constant" && isZero(value) && p[0]+p[1]+p[6]+p[7] == 0 {
		return one(&operand{window: &window{src: x, pads: []int64{p[2], p[4], p[3], p[5]}}})
	}
	v, image := c.layout(x)
	begins, ends := make([]int64, x.rank()), make([]int64, x.rank())
	for i := range begins {
		at := i
		if image {
			at = int(nchwOf[i])
		}
		begins[at], ends[at] = p[2*i], p[2*i+1]
	}
	return one(like(c.b.PadWith(v, slices.Concat(begins, ends), mode, value), image))
}

// isZero reports that a padding value is absent or the constant 0.
func isZero(v *onnx.Value) bool {
	if v == nil {
		return true
	}
	if !v.IsConst() {
		return false
	}
	d, ok := v.Data.Raw().([]float32)
	return ok && len(d) == 1 && d[0] == 0
}

func spaceToBatch(c *converter, s *step) []*operand {
	x, block, p := c.in(s, 0), c.ints(s, 1), c.ints(s, 2)
	if c.err != nil || x.rank() != 4 || !validBlock(block) || len(p) != 4 || slices.ContainsFunc(p, func(v int64) bool { return v < 0 || v > maxPad }) {
		c.failf("block %v and paddings %v of a tensor of shape %v", block, p, x.shape())
		return dead()
	}
	if !x.isImage() {
		x = &operand{image: c.nchw(x)}
	}
	return one(&operand{window: &window{src: x, pads: []int64{p[0], p[2], p[1], p[3]}, block: block}})
}

func validBlock(b []int64) bool {
	return len(b) == 2 && b[0] >= 1 && b[1] >= 1 && b[0] <= maxPad && b[1] <= maxPad
}

// batchToSpace ends what spaceToBatch began and cuts the crops off.
func batchToSpace(c *converter, s *step) []*operand {
	x, block, crops := c.in(s, 0), c.ints(s, 1), c.ints(s, 2)
	if c.err != nil {
		return dead()
	}
	w := x.window
	if w == nil || !w.batched || !slices.Equal(block, w.block) {
		c.failf("BatchToSpaceND is supported only as SpaceToBatchND, a convolution, BatchToSpaceND")
		return dead()
	}
	if len(crops) != 4 || slices.Min(crops) < 0 || slices.Max(crops) > maxPad {
		c.failf("crops %v", crops)
		return dead()
	}
	cut := []int64{crops[0], crops[2], crops[1], crops[3]}
	o := &operand{image: c.nchw(w.src), conv: w.src.conv, exact: w.src.exact}
	if slices.Max(crops) == 0 || x.uses == 1 && cropPads(o.image, w.conv, cut) {
		return one(o)
	}
	ends := []int64{-crops[1], -crops[3]}
	for i, v := range ends {
		if v == 0 {
			ends[i] = 1 << 40
		}
	}
	return one(&operand{image: c.b.Slice(o.image, []int64{2, 3}, []int64{crops[0], crops[2]}, ends)})
}

// cropPads cuts pixels off the result of a convolution by padding its input less,
// which is what the crops that undo the rounding up to whole blocks come to. Only the
// operations fused to the convolution lie between it and its result y. False if it is
// padded too little.
func cropPads(y *onnx.Value, conv *onnx.Node, cut []int64) bool {
	pads := slices.Clone(conv.Ints("pads", 0, 0, 0, 0))
	for i := range pads {
		if pads[i] -= cut[i]; pads[i] < 0 {
			return false
		}
	}
	chain := []*onnx.Value{y}
	for y.Node != conv {
		if y.Node == nil || len(y.Node.In) == 0 {
			return false
		}
		y = y.Node.In[0]
		chain = append(chain, y)
	}
	conv.Attrs["pads"] = pads
	for _, v := range chain {
		v.Shape = slices.Clone(v.Shape)
		for i := range 2 {
			if v.Shape[2+i] >= 0 {
				v.Shape[2+i] -= cut[i] + cut[2+i]
			}
		}
	}
	return true
}
