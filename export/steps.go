package export

import (
	"fmt"

	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// inside says which step no graph does: those that look at the whole picture, or that ONNX
// has no operator for.
func inside(steps []pipeline.Step) error {
	for _, s := range steps {
		switch s.Op.(type) {
		case *pipeline.Orient, *pipeline.Crop, *pipeline.Brightness, *pipeline.Contrast, *pipeline.Gamma, *pipeline.Saturation, *pipeline.Greyscale:
		default:
			return fmt.Errorf("the pipeline in use has the step %s (line %d), which no graph does; orient, crop, brightness, contrast, gamma, saturation "+
				"and greyscale can be inside one: export without preprocessing, or set another pipeline", s.Name, s.Line)
		}
	}
	return nil
}

// steps carries a pipeline's steps out on x, float32 (N, 3, h, w) of whole levels, and
// leaves whole levels. A crop that leaves the picture is cut at its edge.
func (p prefix) steps(x *onnx.Value) *onnx.Value {
	for _, s := range p.spec.Steps {
		switch op := s.Op.(type) {
		case *pipeline.Orient:
			x = p.orient(x, op)
		case *pipeline.Crop:
			x = p.cropStep(x, op)
		case *pipeline.Brightness:
			x = p.levels(p.Add(x, p.Scalar(x.DType, 255*float64(*op))))
		case *pipeline.Contrast:
			half := p.Scalar(x.DType, 127.5)
			x = p.levels(p.Add(p.Mul(p.Sub(x, half), p.Scalar(x.DType, float64(*op))), half))
		case *pipeline.Gamma:
			most := p.Scalar(x.DType, 255)
			x = p.levels(p.Mul(p.Pow(p.Div(x, most), p.Scalar(x.DType, float64(*op))), most))
		case *pipeline.Saturation:
			x = p.saturate(x, float64(*op))
		case *pipeline.Greyscale:
			x = p.saturate(x, 0)
		}
	}
	return x
}

// levels rounds to whole levels of 0 to 255.
func (p prefix) levels(x *onnx.Value) *onnx.Value {
	return p.ClipTo(p.Floor(p.Add(x, p.Scalar(x.DType, 0.5))), 0, 255)
}

// saturate is luma + (x − luma)·s, with the luma of BT.601 rounded as Pillow does.
func (p prefix) saturate(x *onnx.Value, s float64) *onnx.Value {
	weights := p.Const("", tensor.Of([]int64{1, 3, 1, 1}, []float32{19595.0 / 65536, 38470.0 / 65536, 7471.0 / 65536}))
	y := p.ReduceSumKeep(p.Mul(x, weights), 1)
	y = p.Floor(p.Add(y, p.Scalar(x.DType, 0.5)))
	return p.levels(p.Add(y, p.Mul(p.Sub(x, y), p.Scalar(x.DType, s))))
}

// orient turns clockwise, then mirrors.
func (p prefix) orient(x *onnx.Value, o *pipeline.Orient) *onnx.Value {
	const vertical, horizontal = 2, 3 // axes
	switch o.Turn {
	case 90:
		x = p.reverse(p.Transpose(x, 0, 1, 3, 2), horizontal)
	case 180:
		x = p.reverse(x, vertical, horizontal)
	case 270:
		x = p.reverse(p.Transpose(x, 0, 1, 3, 2), vertical)
	}
	switch o.Flip {
	case "horizontal":
		x = p.reverse(x, horizontal)
	case "vertical":
		x = p.reverse(x, vertical)
	}
	return x
}

// reverse turns axes around.
func (p prefix) reverse(x *onnx.Value, axes ...int64) *onnx.Value {
	const beforeAll = -1 << 31 // an end that no size reaches
	start, end, step := make([]int64, len(axes)), make([]int64, len(axes)), make([]int64, len(axes))
	for i := range axes {
		start[i], end[i], step[i] = -1, beforeAll, -1
	}
	return p.Op("Slice", []*onnx.Value{x, p.Ints(start...), p.Ints(end...), p.Ints(axes...), p.Ints(step...)}, nil, 1)[0]
}

func (p prefix) cropStep(x *onnx.Value, c *pipeline.Crop) *onnx.Value {
	if b := c.Box; b != nil {
		return p.Slice(x, []int64{2, 3}, []int64{int64(b[1]), int64(b[0])}, []int64{int64(b[3]), int64(b[2])})
	}
	size := p.Ints(int64(c.Centre[1]), int64(c.Centre[0]))
	start := p.Max(p.Div(p.Sub(p.sides(x), size), p.Ints(2, 2)), p.Ints(0, 0))
	return p.Op("Slice", []*onnx.Value{x, start, p.Add(start, size), p.Ints(2, 3)}, nil, 1)[0]
}
