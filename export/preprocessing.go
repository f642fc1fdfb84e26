// Package export makes files of models for other programs: ONNX with what there is to know
// in its metadata (metadata.go), with preprocessing inside the graph (preprocessing.go).
// Weights under PyTorch's names are zoo's (StateDict), eight-bit graphs quantize's.
package export

import (
	"fmt"

	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Preprocess puts preprocessing in front of a model: its input becomes "image", uint8 (N,
// height, width, 3), RGB, of any size. Pixels are within one level of 255 of what package
// pipeline makes, but for centre crops: one that falls between pixels is half a pixel off,
// and the filter sees nothing beyond its edge.
func Preprocess(g *onnx.Graph, s pipeline.Spec) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if err := inside(s.Steps); err != nil {
		return err
	}
	a, err := resizing(s.Filter)
	if err != nil {
		return err
	}
	err = onnx.Feed(g, func(b *onnx.Builder, _ string, old *onnx.Value) (in, fed *onnx.Value) {
		p := prefix{b, s, a}
		in = b.Input("image", tensor.Uint8, onnx.Shape{old.Shape[0], b.Dim("height"), b.Dim("width"), 3})
		fed = p.normalise(p.fit(p.steps(b.Cast(b.Transpose(in, 0, 3, 1, 2), tensor.Float32))))
		if s.Layout == pipeline.NHWC {
			fed = b.Transpose(fed, 0, 2, 3, 1)
		}
		return in, fed
	})
	if err != nil {
		return err
	}
	if err := onnx.Infer(g); err != nil {
		return err
	}
	return onnx.Check(g)
}

// prefix adds the nodes.
type prefix struct {
	*onnx.Builder

	spec  pipeline.Spec
	attrs map[string]any // of Resize
}

// resizing is a filter as Resize has it. Filters that look at every pixel of a shrunk part
// are antialiased; the two-by-two ones are not.
func resizing(f imageio.Filter) (map[string]any, error) {
	half := map[string]any{"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
	switch f {
	case imageio.Bilinear:
		half["antialias"], half["exclude_outside"] = int64(1), int64(1)
	case imageio.Bicubic:
		half["mode"], half["antialias"], half["exclude_outside"] = "cubic", int64(1), int64(1)
		half["cubic_coeff_a"] = float32(-0.5)
	case imageio.BilinearHalfPixel:
	case imageio.BilinearTF:
		half["coordinate_transformation_mode"] = "asymmetric"
	default:
		return nil, fmt.Errorf("ONNX has no filter %s; bilinear, bicubic and bilinear's variants can be inside the graph", f)
	}
	return half, nil
}

// fit brings x, float32 (N, 3, h, w), to the input's size. It resizes floats: of bytes ONNX
// Runtime's antialiased Resize rounds down, twice.
func (p prefix) fit(x *onnx.Value) *onnx.Value {
	switch p.spec.Resize {
	case pipeline.CentreCrop:
		return p.resize(p.crop(x))
	case pipeline.Letterbox:
		return p.letterbox(x)
	default:
		return p.resize(x)
	}
}

func (p prefix) resize(x *onnx.Value) *onnx.Value {
	return p.resizeTo(x, p.Ints(int64(p.spec.Height), int64(p.spec.Width)))
}

// resizeTo gives x a height and width, int64 (2). All four axes are spoken of: ONNX Runtime
// 1.32 moves Transposes past a Resize of some axes, and then finds its sizes wrong.
func (p prefix) resizeTo(x, size *onnx.Value) *onnx.Value {
	rest := p.Slice(p.Shape(x), []int64{0}, []int64{0}, []int64{2})
	return p.Op("Resize", []*onnx.Value{x, nil, nil, p.Concat(0, rest, size)}, p.attrs, 1)[0]
}

// sides returns the height and width of x, int64 (2).
func (p prefix) sides(x *onnx.Value) *onnx.Value {
	return p.Slice(p.Shape(x), []int64{0}, []int64{2}, []int64{4})
}

// crop cuts the centre out, as pipeline's centreCrop.
func (p prefix) crop(x *onnx.Value) *onnx.Value {
	keep := p.spec.Crop
	if keep == 0 {
		keep = 1
	}
	size := p.Const("", tensor.Vector(float32(p.spec.Height), float32(p.spec.Width)))
	all := p.sides(x)
	scale := p.Mul(p.ReduceMinKeep(p.Div(p.Cast(all, tensor.Float32), size), 0), p.Scalar(tensor.Float32, float64(keep)))
	cut := p.Cast(p.Floor(p.Add(p.Mul(size, scale), p.Scalar(tensor.Float32, 1e-3))), tensor.Int64)
	cut = p.Max(cut, p.Ints(1, 1))
	start := p.Div(p.Sub(all, cut), p.Ints(2, 2))
	return p.Op("Slice", []*onnx.Value{x, start, p.Add(start, cut), p.Ints(2, 3)}, nil, 1)[0]
}

// letterbox fits x inside the input, sides rounded, and fills the rest.
func (p prefix) letterbox(x *onnx.Value) *onnx.Value {
	h, w := int64(p.spec.Height), int64(p.spec.Width)
	all := p.Cast(p.sides(x), tensor.Float32)
	scale := p.ReduceMinKeep(p.Div(p.Const("", tensor.Vector(float32(h), float32(w))), all), 0)
	size := p.Cast(p.Floor(p.Add(p.Mul(all, scale), p.Scalar(tensor.Float32, 0.5))), tensor.Int64)
	x = p.resizeTo(x, p.Min(p.Max(size, p.Ints(1, 1)), p.Ints(h, w)))
	rest := p.Sub(p.Ints(h, w), p.sides(x))
	before := p.Ints(0, 0)
	if p.spec.Align != pipeline.Corner {
		before = p.Div(rest, p.Ints(2, 2))
	}
	pads := p.Concat(0, before, p.Sub(rest, before))
	x = p.Op("Pad", []*onnx.Value{x, pads, p.Scalar(x.DType, float64(p.spec.Fill)), p.Ints(2, 3)}, nil, 1)[0]
	return p.Reshape(x, 0, 3, h, w)
}

// normalise makes the model's numbers of x, (N, 3, H, W), RGB.
func (p prefix) normalise(x *onnx.Value) *onnx.Value {
	if p.attrs["mode"] == "cubic" { // which overshoots
		x = p.ClipTo(x, 0, 255)
	}
	if len(p.spec.Mean) > 0 {
		x = p.Sub(x, p.channels(p.spec.Mean))
	}
	if len(p.spec.Std) > 0 {
		x = p.Div(x, p.channels(p.spec.Std))
	}
	if p.spec.Order == pipeline.BGR {
		x = p.Gather(x, p.Ints(2, 1, 0), 1)
	}
	return x
}

// channels is one value for all, or three, for (N, 3, H, W).
func (p prefix) channels(v []float32) *onnx.Value {
	return p.Const("", tensor.Of([]int64{1, int64(len(v)), 1, 1}, v))
}
