package grad

import (
	"fmt"
	"math"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// resizeRule is the gradient of Resize, nearest and linear. Resizing an axis of size n
// to m is a product with an interpolation matrix R (m, n), one row per output, whose
// entries are the weights of the inputs; over the last two axes
//
//	Y = R·X·S'    dX = R'·dY·S     ' transposes
//
// two MatMuls with constants, whatever the scale. Resized axes must be the last two,
// with known sizes, and scales or sizes constants; where all sizes stay, ONNX Runtime
// copies X, whatever the scales, and so does dX. Cubic, antialias, tf_crop_and_resize,
// nearest with half_pixel_symmetric and aspect ratio policies have no rule.
// Source: the ONNX specification of Resize. Checked: testdata/resize.npz, and the
// matrices against ONNX Runtime's Resize in every mode.
func resizeRule(c *call) error {
	x, y := c.n.In[0], c.n.Out[0]
	rank := len(x.Shape)
	mode := c.n.Str("mode", "nearest")
	coordinates := c.n.Str("coordinate_transformation_mode", "half_pixel")
	if mode != "nearest" && mode != "linear" || c.n.Int("antialias", 0) != 0 ||
		coordinates == "tf_crop_and_resize" || c.n.Str("keep_aspect_ratio_policy", "stretch") != "stretch" {
		return c.none("mode %s, coordinates %s, antialias or aspect ratio", mode, coordinates)
	}
	if mode == "nearest" && coordinates == "half_pixel_symmetric" {
		return c.none("nearest with half_pixel_symmetric")
	}
	dX := c.dY[0]
	if slices.Equal(x.Shape, y.Shape) && !slices.Contains(x.Shape, onnx.Unknown) {
		return c.give(0, dX)
	}
	for i := range rank {
		in, out := x.Shape[i], y.Shape[i]
		scale, ok := c.scale(i)
		if ok && scale == 1 {
			continue // every mode keeps the elements
		}
		if i < rank-2 || in < 1 || out < 1 {
			return c.none("%v to %v: resized axes must be the last two, of known sizes", x.Shape, y.Shape)
		}
		if !ok {
			return c.none("computed scales")
		}
		r := resizer{in: in, out: out, scale: scale, coordinates: coordinates, nearest: c.n.Str("nearest_mode", "round_prefer_floor")}
		matrix, err := constantOf(x.DType, []int64{out, in}, r.matrix(mode == "linear"))
		if err != nil {
			return c.none("%s", x.DType)
		}
		if m := c.Const("", matrix); i == rank-1 {
			dX = c.MatMul(dX, m)
		} else {
			dX = c.MatMul(c.Transpose(m), dX)
		}
	}
	return c.give(0, dX)
}

// scale returns the factor that the node gives for an axis: from scales, or sizes.
func (c *call) scale(axis int) (float32, bool) {
	x := c.n.In[0]
	in, out := x.Shape[axis], c.n.Out[0].Shape[axis]
	at := axis
	if axes := c.n.Ints("axes"); axes != nil {
		at = slices.IndexFunc(axes, func(a int64) bool { return c.axis(a, x) == axis })
	}
	scales := c.n.Input(2)
	if scales == nil || scales.IsConst() && scales.Data.Len() == 0 {
		if in == out && in != onnx.Unknown {
			return 1, true
		}
		return float32(out) / float32(in), in > 0 && out > 0
	}
	if !scales.IsConst() {
		return 0, false
	}
	list, ok := tensor.Data[float32](scales.Data)
	switch {
	case !ok || at >= len(list):
		return 0, false
	case at < 0:
		return 1, true // axes leaves it out
	}
	return list[at], true
}

// resizer is the resizing of one axis. It counts in float32, as ONNX Runtime does, so
// that both round the same way.
type resizer struct {
	in, out              int64
	scale                float32
	coordinates, nearest string
}

// matrix returns the interpolation matrix, (out, in) in row-major order.
func (r resizer) matrix(linear bool) []float64 {
	m := make([]float64, r.out*r.in)
	put := func(o int64, at, weight float64) {
		m[o*r.in+int64(min(max(at, 0), float64(r.in-1)))] += weight
	}
	for o := range r.out {
		at := float64(r.at(float32(o)))
		if !linear {
			put(o, r.round(at), 1)
			continue
		}
		low := math.Floor(at)
		put(o, low, 1-(at-low))
		put(o, low+1, at-low)
	}
	return m
}

// at is where output o lies among the inputs.
func (r resizer) at(o float32) float32 {
	switch r.coordinates {
	case "align_corners":
		if r.out == 1 {
			return 0
		}
		return o * float32(r.in-1) / float32(r.out-1)
	case "asymmetric":
		return o / r.scale
	case "pytorch_half_pixel":
		if r.out == 1 {
			return 0
		}
	case "half_pixel_symmetric":
		adjusted := float32(r.out) / (r.scale * float32(r.in))
		middle := float32(r.in) / 2
		return middle*(1-adjusted) + (o+0.5)/r.scale - 0.5
	}
	return (o+0.5)/r.scale - 0.5
}

// round picks the nearest input.
func (r resizer) round(at float64) float64 {
	switch r.nearest {
	case "floor":
		return math.Floor(at)
	case "ceil":
		return math.Ceil(at)
	case "round_prefer_ceil":
		return math.Floor(at + 0.5)
	default: // round_prefer_floor
		return math.Ceil(at - 0.5)
	}
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
