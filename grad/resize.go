package grad

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// resizeRule is the gradient of Resize in every mode. Resizing an axis of size n to m is
// a product with an interpolation matrix R (m, n), one row per output, whose entries are
// the weights of the inputs (see resizer); over two axes
//
//	Y = R·X·S'    dX = R'·dY·S     ' transposes
//
// one MatMul with a constant for each axis, whatever the scale. Sizes of resized axes
// must be known and scales, sizes and roi be constants; where all sizes stay, ONNX
// Runtime copies X, whatever the scales, and so does dX. nearest with
// half_pixel_symmetric has no rule: ONNX Runtime's rounding there is its own.
// Source: the ONNX specification of Resize. Checked: testdata/resize*.npz, and the
// matrices against ONNX Runtime's Resize in every mode.
func resizeRule(c *call) error {
	x, y := c.n.In[0], c.n.Out[0]
	dX := c.dY[0]
	cropped := c.n.Str("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize"
	if slices.Equal(x.Shape, y.Shape) && !slices.Contains(x.Shape, onnx.Unknown) {
		return c.give(0, dX)
	}
	for i := range x.Shape {
		in, out := x.Shape[i], y.Shape[i]
		scale, ok := c.scale(i)
		if ok && scale == 1 && (!cropped || c.listed(i) < 0) {
			continue // every other mode keeps the elements
		}
		if !ok || in < 1 || out < 1 || !fits([]int64{in, out}) {
			return c.none("%v to %v: bind the resized axes, computed scales", x.Shape, y.Shape)
		}
		r := resizer{
			in: in, out: out, scale: scale,
			mode:        c.n.Str("mode", "nearest"),
			coordinates: c.n.Str("coordinate_transformation_mode", "half_pixel"),
			nearest:     c.n.Str("nearest_mode", "round_prefer_floor"),
			cubicA:      float64(c.n.Float("cubic_coeff_a", -0.75)),
			antialias:   c.n.Int("antialias", 0) != 0,
			inside:      c.n.Int("exclude_outside", 0) != 0,
		}
		if r.mode == "nearest" && r.coordinates == "half_pixel_symmetric" {
			return c.none("nearest with half_pixel_symmetric")
		}
		if cropped {
			if r.begin, r.end, ok = c.roi(i); !ok {
				return c.none("computed roi")
			}
		}
		matrix, err := constantOf(x.DType, []int64{out, in}, r.matrix())
		if err != nil {
			return c.none("%s", x.DType)
		}
		dX = c.alongAxis(dX, i, c.Const("", matrix))
	}
	return c.give(0, dX)
}

// alongAxis multiplies v along an axis by a matrix, from its rows to its columns.
func (w *walk) alongAxis(v *onnx.Value, axis int, matrix *onnx.Value) *onnx.Value {
	rank := len(v.Shape)
	switch axis {
	case rank - 1:
		return w.MatMul(v, matrix)
	case rank - 2:
		return w.MatMul(w.Transpose(matrix), v)
	}
	perm := count(0, rank)
	perm[axis], perm[rank-1] = perm[rank-1], perm[axis] // its own inverse
	return w.Transpose(w.MatMul(w.Transpose(v, perm...), matrix), perm...)
}

// listed returns the place of an axis in scales, sizes and roi, -1 if they leave it out.
func (c *call) listed(axis int) int {
	axes := c.n.Ints("axes")
	if axes == nil {
		return axis
	}
	return slices.IndexFunc(axes, func(a int64) bool { return c.axis(a, c.n.In[0]) == axis })
}

// scale returns the factor that the node gives for an axis: from scales, or sizes.
func (c *call) scale(axis int) (float32, bool) {
	x := c.n.In[0]
	at := c.listed(axis)
	if at < 0 {
		return 1, true
	}
	scales := c.n.Input(2)
	if scales == nil || scales.IsConst() && scales.Data.Len() == 0 {
		return c.scaleTo(axis)
	}
	if !scales.IsConst() {
		in, out := x.Shape[axis], c.n.Out[0].Shape[axis]
		return 1, in == out && in != onnx.Unknown
	}
	list, ok := tensor.Data[float32](scales.Data)
	if !ok || at >= len(list) {
		return 0, false
	}
	return list[at], true
}

// scaleTo is scale where sizes are given: their ratio, or the smallest or largest of the
// ratios where a policy keeps the aspect ratio.
func (c *call) scaleTo(axis int) (float32, bool) {
	in, out := c.n.In[0].Shape, c.n.Out[0].Shape
	policy := c.n.Str("keep_aspect_ratio_policy", "stretch")
	if policy == "stretch" {
		if in[axis] == out[axis] && in[axis] != onnx.Unknown {
			return 1, true
		}
		return float32(out[axis]) / float32(in[axis]), in[axis] > 0 && out[axis] > 0
	}
	sizes, ok := integers(c.n.Input(3))
	if !ok {
		return 0, false
	}
	var ratios []float32
	for i, size := range in {
		if at := c.listed(i); at >= 0 && at < len(sizes) && size > 0 {
			ratios = append(ratios, float32(sizes[at])/float32(size))
		} else if at >= 0 {
			return 0, false
		}
	}
	if policy == "not_larger" {
		return slices.Min(ratios), true
	}
	return slices.Max(ratios), true
}

// roi returns the part of an axis, in shares of its size, that is resized.
func (c *call) roi(axis int) (begin, end float32, ok bool) {
	at := c.listed(axis)
	if at < 0 {
		return 0, 1, true
	}
	v := c.n.Input(1)
	if v == nil || !v.IsConst() {
		return 0, 0, false
	}
	switch list := v.Data.Raw().(type) {
	case []float32:
		if k := len(list) / 2; at < k {
			return list[at], list[k+at], true
		}
	case []float64:
		if k := len(list) / 2; at < k {
			return float32(list[at]), float32(list[k+at]), true
		}
	}
	return 0, 0, false
}

// constantOf returns a float32 or float64 tensor of the elements given.
func constantOf(dtype tensor.DType, shape []int64, list []float64) (*tensor.Tensor, error) {
	switch dtype {
	case tensor.Float64:
		return tensor.Of(shape, list), nil
	case tensor.Float32:
		short := make([]float32, len(list))
		for i, x := range list {
			short[i] = float32(x)
		}
		return tensor.Of(shape, short), nil
	default:
		return nil, fmt.Errorf("no constants of type %s", dtype)
	}
}
