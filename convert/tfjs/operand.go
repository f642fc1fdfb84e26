package tfjs

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// operand is a tensor of the TensorFlow graph as ONNX values. At least one of v, image,
// known and window is set; plain and nchw make the others when they are asked for.
type operand struct {
	v      *onnx.Value // in TensorFlow's axis order
	image  *onnx.Value // of rank 4: the same tensor, NHWC there, as NCHW
	known  []number    // the elements of a shape or an axis, not written as a value yet
	scalar bool        // known is of rank 0
	dtype  tensor.DType
	window *window // padding that a convolution may take into its pads

	uses  int        // readers in the TensorFlow graph
	conv  *onnx.Node // a Conv that this tensor is, but for what is added to it
	exact bool       // it is the Conv's very output
}

// nchwOf and nhwcOf renumber axes: axis i of NHWC is nchwOf[i] of NCHW, and back.
var (
	nchwOf = []int64{0, 2, 3, 1}
	nhwcOf = []int64{0, 3, 1, 2}
)

// toNCHW reorders the four sizes of an NHWC shape; toNHWC goes back.
func toNCHW[S ~[]int64](s S) S { return S{s[0], s[3], s[1], s[2]} }
func toNHWC[S ~[]int64](s S) S { return S{s[0], s[2], s[3], s[1]} }

// shape returns o's shape in TensorFlow's axis order; nil for an unknown rank.
func (o *operand) shape() onnx.Shape {
	switch {
	case o.v != nil:
		return o.v.Shape
	case o.image != nil:
		if len(o.image.Shape) != 4 {
			return nil
		}
		return toNHWC(o.image.Shape)
	case o.known != nil && o.scalar:
		return onnx.Shape{}
	case o.known != nil:
		return onnx.Shape{int64(len(o.known))}
	case o.window != nil:
		return o.window.shape()
	default:
		return nil
	}
}

// rank returns the number of axes, -1 if it is not known.
func (o *operand) rank() int {
	if s := o.shape(); s != nil {
		return len(s)
	}
	return -1
}

// elem returns the element type.
func (o *operand) elem() tensor.DType {
	switch {
	case o.v != nil:
		return o.v.DType
	case o.image != nil:
		return o.image.DType
	case o.window != nil:
		return o.window.src.elem()
	default:
		return o.dtype
	}
}

// isImage reports that o exists as NCHW only.
func (o *operand) isImage() bool { return o.v == nil && (o.image != nil || o.window != nil) }

// plain returns o in TensorFlow's axis order.
func (c *converter) plain(o *operand) *onnx.Value {
	switch {
	case o.v != nil:
	case o.known != nil:
		o.v = c.numberTensor(o.known)
		if o.scalar {
			o.v = c.b.Reshape(o.v)
		}
		if o.dtype != tensor.Int64 {
			o.v = c.b.Cast(o.v, o.dtype)
		}
	case o.image != nil || o.window != nil:
		image := c.nchw(o)
		if s := image.Shape; len(s) == 4 && sameOrder(s) {
			o.v = c.b.Reshape(image, 0, dimOr(s[2], 0), dimOr(s[3], 0), dimOr(s[1], -1))
		} else {
			o.v = c.b.Transpose(image, nchwOf...)
		}
	default:
		c.failf("a tensor without a value")
		o.v = &onnx.Value{}
	}
	return o.v
}

// sameOrder reports that the elements of an NCHW shape lie in the order they have in
// NHWC, and that all but the batch and perhaps the channels are known.
func sameOrder(s onnx.Shape) bool {
	return s[2] == 1 && s[3] == 1 || s[1] == 1 && s[2] >= 0 && s[3] >= 0
}

func dimOr(d, unknown int64) int64 {
	if d < 0 {
		return unknown
	}
	return d
}

// nchw returns an operand of rank 4 as NCHW.
func (c *converter) nchw(o *operand) *onnx.Value {
	switch {
	case o.image != nil:
	case o.window != nil:
		o.image = c.padded(o.window)
	case o.rank() != 4:
		c.failf("a tensor of shape %v where an image was expected", o.shape())
		o.image = &onnx.Value{}
	case o.v.IsConst():
		o.image = c.constant(o.v.Name+"/NCHW", transpose(o.v.Data, nhwcOf))
	default:
		o.image = c.b.Transpose(o.v, nhwcOf...)
	}
	return o.image
}

// align returns operands that will be broadcast together in one layout, NCHW if any
// of them is an image, and whether it is.
func (c *converter) align(os ...*operand) (vs []*onnx.Value, image bool) {
	for _, o := range os {
		image = image || o.isImage()
	}
	for _, o := range os {
		if image && (o.rank() < 0 || o.rank() > 4) {
			image = false
		}
	}
	for _, o := range os {
		switch {
		case !image:
			vs = append(vs, c.plain(o))
		case o.rank() == 4:
			vs = append(vs, c.nchw(o))
		default:
			vs = append(vs, c.stretch(o))
		}
	}
	return vs, image
}

// stretch makes an operand of rank below 4 broadcast against NCHW as it does against NHWC.
func (c *converter) stretch(o *operand) *onnx.Value {
	v := c.plain(o)
	if len(v.Shape) == 0 || v.Shape.Static() && tensor.Size(v.Shape) == 1 {
		return v
	}
	full := append(slices.Repeat([]int64{1}, 4-len(v.Shape)), v.Shape...)
	if v.IsConst() {
		t, err := v.Data.Reshape(full...)
		if err != nil {
			c.failf("%w", err)
			return v
		}
		return c.constant(v.Name+"/NCHW", transpose(t, nhwcOf))
	}
	if len(v.Shape) == 1 {
		return c.b.Unsqueeze(v, 1, 2)
	}
	axes := []int64{0, 1}[:4-len(v.Shape)]
	return c.b.Transpose(c.b.Unsqueeze(v, axes...), nhwcOf...)
}

// like wraps a value of the layout that align chose.
func like(v *onnx.Value, image bool) *operand {
	if image {
		return &operand{image: v}
	}
	return &operand{v: v}
}

// layout returns o's value in the layout it has, and whether that is NCHW.
func (c *converter) layout(o *operand) (*onnx.Value, bool) {
	if o.isImage() {
		return c.nchw(o), true
	}
	return c.plain(o), false
}

// axis counts a negative axis from the end; rank is o's.
func (c *converter) axis(a int64, rank int) int64 {
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		c.failf("axis %d of a tensor of rank %d", a, rank)
		return 0
	}
	return a
}

// transpose reorders the axes of a constant: axis i of the result is axis perm[i] of t.
func transpose(t *tensor.Tensor, perm []int64) *tensor.Tensor {
	switch d := t.Raw().(type) {
	case []float32:
		return transposed(t.Shape, d, perm)
	case []int32:
		return transposed(t.Shape, d, perm)
	case []int64:
		return transposed(t.Shape, d, perm)
	case []bool:
		return transposed(t.Shape, d, perm)
	case []string:
		return transposed(t.Shape, d, perm)
	default:
		return t // readWeights makes no others
	}
}

func transposed[T tensor.Elem](shape []int64, in []T, perm []int64) *tensor.Tensor {
	strides := make([]int64, len(shape))
	step := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= shape[i]
	}
	to, by := make([]int64, len(perm)), make([]int64, len(perm))
	for i, p := range perm {
		to[i], by[i] = shape[p], strides[p]
	}
	out := make([]T, 0, len(in))
	index := make([]int64, len(to))
	for at := int64(0); len(out) < len(in); {
		out = append(out, in[at])
		for i := len(to) - 1; i >= 0; i-- { // the next index, as an odometer
			index[i]++
			at += by[i]
			if index[i] < to[i] {
				break
			}
			at -= by[i] * to[i]
			index[i] = 0
		}
	}
	return tensor.Of(to, out)
}
