package tfjs

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// spatial holds the height and width entries of NHWC attributes.
type spatial struct {
	strides, dilations []int64
	padding            string
	explicit           []int64 // ONNX order: top, left, bottom, right
}

func (c *converter) spatial(s *step) spatial {
	c.checkFormat(s)
	p := spatial{strides: c.heightWidth(s, "strides"), dilations: c.heightWidth(s, "dilations"), padding: s.Attrs.Str("padding", "VALID")}
	if p.padding == "EXPLICIT" {
		e := s.Attrs.Ints("explicit_paddings") // pairs of begin and end for N, H, W, C
		if len(e) != 8 || slices.ContainsFunc(e, func(v int64) bool { return v < 0 || v > maxPad }) {
			c.failf("explicit_paddings %v", e)
			return p
		}
		p.explicit = []int64{e[2], e[4], e[3], e[5]}
	}
	return p
}

// maxPad bounds pads, strides and kernels, so that their sums stay far from overflow.
const maxPad = 1 << 20

func (c *converter) heightWidth(s *step, name string) []int64 {
	v := s.Attrs.Ints(name)
	if v == nil {
		return []int64{1, 1}
	}
	if len(v) != 4 || v[0] != 1 || v[3] != 1 || v[1] < 1 || v[2] < 1 || v[1] > maxPad || v[2] > maxPad {
		c.failf("%s %v", name, v)
		return []int64{1, 1}
	}
	return v[1:3]
}

// pads returns ONNX's pads for a window over an NCHW shape, or the auto_pad that
// stands for them where the image's size is not known. TensorFlow's SAME makes the
// output ceil(in/stride) and puts the odd pixel at the end.
func (p spatial) pads(shape onnx.Shape, kernel []int64) (pads []int64, auto string) {
	switch p.padding {
	case "EXPLICIT":
		return p.explicit, ""
	case "SAME":
	default:
		return []int64{0, 0, 0, 0}, ""
	}
	pads = make([]int64, 4)
	for i := range 2 {
		reach := (kernel[i]-1)*p.dilations[i] + 1
		var total int64
		switch in := shape[2+i]; {
		case p.strides[i] == 1:
			total = reach - 1
		case in >= 0:
			out := (in + p.strides[i] - 1) / p.strides[i]
			total = max(0, (out-1)*p.strides[i]+reach-in)
		default:
			return nil, "SAME_UPPER"
		}
		pads[i], pads[2+i] = total/2, total-total/2
	}
	return pads, ""
}

func conv2D(c *converter, s *step) []*operand {
	w, ok := c.kernel(s, 1)
	if !ok {
		return dead()
	}
	return c.conv(s, transpose(w, []int64{3, 2, 0, 1}), 0) // HWIO → OIHW
}

// depthwise convolves each channel by itself: the weights' last axis holds the outputs
// per channel, and its outputs lie channel by channel, as ONNX's groups do.
func depthwise(c *converter, s *step) []*operand {
	w, ok := c.kernel(s, 1)
	if !ok {
		return dead()
	}
	h, wd, in, m := w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3]
	t, err := transpose(w, []int64{2, 3, 0, 1}).Reshape(in*m, 1, h, wd) // HWCM → (C·M)1HW
	if err != nil {
		c.failf("%w", err)
		return dead()
	}
	return c.conv(s, t, in)
}

// kernel returns a constant kernel of rank 4.
func (c *converter) kernel(s *step, i int) (*tensor.Tensor, bool) {
	o := c.in(s, i)
	if o.v == nil || !o.v.IsConst() || o.v.DType != tensor.Float32 || len(o.v.Data.Shape) != 4 || o.v.Data.Len() == 0 {
		c.failf("weights of shape %v that are not a constant kernel", o.shape())
		return nil, false
	}
	return o.v.Data, true
}

// conv writes a convolution with a kernel (M, C/group, kH, kW), which becomes its own,
// and the operations that TensorFlow has fused to it. group 0 is as the input's
// channels say.
func (c *converter) conv(s *step, kernel *tensor.Tensor, group int64) []*operand {
	p := c.spatial(s)
	x := c.in(s, 0)
	if x.rank() != 4 {
		c.failf("an input of shape %v", x.shape())
		return dead()
	}
	var space *window
	if w := x.window; w != nil && x.image == nil && w.fits(p) {
		x, p = &operand{image: c.nchw(w.src)}, w.into(p)
		if w.block != nil {
			space = w
		}
	}
	image := c.nchw(x)
	if c.err != nil || len(image.Shape) != 4 {
		return dead()
	}
	in := kernel.Shape[1]
	if group == 0 {
		group = 1
		if ch := image.Shape[1]; ch > in && ch%in == 0 {
			group = ch / in // grouped, as TensorFlow infers from the shapes
		}
	}
	a := onnx.ConvAttrs{Strides: p.strides, Dilations: p.dilations, Group: group}
	a.Pads, a.AutoPad = p.pads(image.Shape, kernel.Shape[2:])
	w := c.constant(s.in[1].String()+"/OIHW", kernel)
	y := c.b.Conv(image, w, nil, a)
	o := &operand{image: y, conv: y.Node, exact: true, uses: 1}
	if c.b.Err() != nil {
		return dead()
	}
	if o = c.fused(s, o, 2); space != nil {
		o = &operand{window: &window{src: o, block: space.block, batched: true, conv: y.Node, pads: make([]int64, 4)}}
	}
	return one(o)
}

// fused applies a node's fused_ops to its own result o; their arguments begin at input i.
func (c *converter) fused(s *step, o *operand, i int) *operand {
	for _, op := range s.Attrs.Strs("fused_ops") {
		o.uses = 1
		switch op {
		case "BiasAdd":
			o = c.binary("Add", o, c.in(s, i))
			i++
		case "FusedBatchNorm":
			n := &Node{Name: s.Name, Op: op, Attrs: Attrs{"epsilon": s.Attrs.Float("epsilon", 1e-4)}}
			c.values[ref{s.Name, -1}] = o // for the rule to find
			args := []ref{{s.Name, -1}}
			for k := range 4 {
				if i+k < len(s.in) {
					args = append(args, s.in[i+k])
				}
			}
			o = batchNorm(c, &step{n, args})[0]
			i += 4
		case "Prelu":
			o = c.binary("Prelu", o, c.in(s, i))
			i++
		case "LeakyRelu":
			x, image := c.layout(o)
			o = like(c.b.LeakyRelu(x, float32(s.Attrs.Float("leakyrelu_alpha", 0.2))), image)
		default:
			if unaryOp(op) == nil {
				c.failf("fused operation %q is not supported", op)
				return o
			}
			x, image := c.layout(o)
			o = like(unaryOp(op)(c, s.Attrs, x), image)
		}
	}
	return o
}

// positive reports a known size that is not out of all proportion.
func positive(x number) bool { return x.known() && x.n >= 1 && x.n <= maxPad }

// convTranspose is the gradient of a convolution by its input, whose shape is input 0:
//
//	filter (kH, kW, out, in) → W (in, out, kH, kW)
func convTranspose(c *converter, s *step) []*operand {
	p := c.spatial(s)
	filter, ok := c.kernel(s, 1)
	size, known := c.numbers(c.in(s, 0))
	x := c.nchw(c.in(s, 2))
	if !ok || c.err != nil {
		return dead()
	}
	if !known || len(size) != 4 || !positive(size[1]) || !positive(size[2]) || len(x.Shape) != 4 || x.Shape[2] < 0 || x.Shape[3] < 0 {
		c.failf("an output of unknown size")
		return dead()
	}
	a := onnx.ConvAttrs{Strides: p.strides, Dilations: p.dilations, Pads: make([]int64, 4), OutputPadding: make([]int64, 2)}
	forward, _ := p.pads(onnx.Shape{0, 0, size[1].n, size[2].n}, filter.Shape[:2])
	for i := range 2 {
		full := (x.Shape[2+i]-1)*p.strides[i] + (filter.Shape[i]-1)*p.dilations[i] + 1
		a.Pads[i], a.Pads[2+i] = forward[i], forward[2+i]
		a.OutputPadding[i] = size[1+i].n - (full - forward[i] - forward[2+i])
		if a.OutputPadding[i] < 0 || a.OutputPadding[i] >= max(p.strides[i], p.dilations[i]) {
			c.failf("an output of %d×%d pixels, which the convolution back to %v does not have", size[1].n, size[2].n, x.Shape)
			return dead()
		}
	}
	w := c.constant(s.in[1].String()+"/IOHW", transpose(filter, []int64{3, 2, 0, 1}))
	return one(&operand{image: c.b.ConvTranspose(x, w, nil, a)})
}
