package grad

import (
	"fmt"
	"maps"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

func TestResize(t *testing.T) {
	t.Parallel()
	to := func(a onnx.ResizeAttrs, sizes ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.ResizeTo(x[0], sizes, a) }
	}
	double := func(a onnx.ResizeAttrs) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Resize(x[0], []float32{1, 1, 2, 2}, a) }
	}
	floor := onnx.ResizeAttrs{Coordinates: "asymmetric", Nearest: "floor"}
	exact := onnx.ResizeAttrs{Nearest: "round_prefer_ceil", Axes: []int64{-2, -1}}
	testFamily(t, "resize.npz", []graphCase{
		{"nearest", double(floor), bilinear},
		{"nearest_sizes", to(floor, 1, 2, 7, 3), bilinear},
		{"nearest_exact", to(exact, 7, 3), bilinear},
		{"linear", double(onnx.ResizeAttrs{Mode: "linear"}), single},
		{"linear_sizes", to(onnx.ResizeAttrs{Mode: "linear"}, 1, 2, 7, 3), single},
		{"linear_corners", to(onnx.ResizeAttrs{Mode: "linear", Coordinates: "align_corners"}, 1, 2, 7, 9), single},
		{"linear_line", to(onnx.ResizeAttrs{Mode: "linear", Axes: []int64{2}}, 7), single},
	})
}

func TestResizeModes(t *testing.T) {
	t.Parallel()
	to := func(a onnx.ResizeAttrs, sizes ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.ResizeTo(x[0], sizes, a) }
	}
	testFamily(t, "resize_2.npz", []graphCase{
		{"cubic", to(onnx.ResizeAttrs{Mode: "cubic"}, 1, 2, 7, 9), single},
		{"cubic_corners", to(onnx.ResizeAttrs{Mode: "cubic", Coordinates: "align_corners"}, 1, 2, 7, 3), single},
		{"antialias", to(onnx.ResizeAttrs{Mode: "linear", Antialias: true, ExcludeOutside: true}, 1, 2, 3, 4), single},
		{"antialias_cubic", to(onnx.ResizeAttrs{Mode: "cubic", Antialias: true, ExcludeOutside: true, CubicCoeffA: -0.5}, 1, 2, 4, 3), single},
		{"channels_last", to(onnx.ResizeAttrs{Mode: "linear"}, 1, 6, 5, 2), single},
		{"volume", to(onnx.ResizeAttrs{Mode: "linear"}, 1, 1, 3, 5, 4), single},
	})
}

// TestResizeMatrix resizes the unit matrix along its rows, which makes the interpolation
// matrix R, in every mode of ONNX Runtime, and differentiates ½Σ R²: R'·R.
func TestResizeMatrix(t *testing.T) {
	t.Parallel()
	const in = 5
	unit := make([]float32, in*in)
	for i := range in {
		unit[i*in+i] = 1
	}
	x := tensor.Of([]int64{in, in}, unit)
	modes := []map[string]any{
		{"mode": "linear"},
		{"mode": "linear", "antialias": int64(1)},
		{"mode": "linear", "antialias": int64(1), "exclude_outside": int64(1)},
		{"mode": "cubic"},
		{"mode": "cubic", "exclude_outside": int64(1), "cubic_coeff_a": float32(-0.5)},
		{"mode": "cubic", "antialias": int64(1)},
		{"mode": "cubic", "antialias": int64(1), "exclude_outside": int64(1), "cubic_coeff_a": float32(-0.5)},
		{"mode": "nearest", "nearest_mode": "floor"},
		{"mode": "nearest", "nearest_mode": "ceil"},
		{"mode": "nearest", "nearest_mode": "round_prefer_floor"},
		{"mode": "nearest", "nearest_mode": "round_prefer_ceil"},
	}
	for _, coordinates := range []string{"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric", "tf_crop_and_resize"} {
		for _, attrs := range modes {
			for _, scale := range []float32{0.21, 0.6, 1, 1.3, 1.5, 2, 3.3} {
				if attrs["mode"] == "nearest" && coordinates == "half_pixel_symmetric" {
					continue // no rule
				}
				t.Run(fmt.Sprint(coordinates, attrs, scale), func(t *testing.T) {
					t.Parallel()
					all := maps.Clone(attrs)
					all["coordinate_transformation_mode"] = coordinates
					b := onnx.NewBuilder("unit")
					v := b.Input("x", tensor.Float32, onnx.Shape{in, in})
					roi := b.Const("roi", tensor.Vector[float32](0.15, 0, 1.1, 1))
					scales := b.Const("scales", tensor.Vector(scale, 1))
					y := b.Output("y", b.Op("Resize", values{v, roi, scales}, all, 1)[0])
					loss := b.ReduceSum(b.Mul(y, y))
					g, err := b.Graph()
					if err != nil {
						t.Fatal(err)
					}
					dX, err := Gradient(g, loss, values{v}) // R'·2R
					if err != nil {
						t.Fatal(err)
					}
					b = onnx.Extend(g)
					b.Output("half", b.Mul(dX[0], b.Scalar(tensor.Float32, 0.5)))
					b.Output("square", b.MatMul(b.Transpose(y), y))
					out, err := orttest.Build(t, b).Run(t.Context(), []*tensor.Tensor{x})
					if err != nil {
						t.Fatal(err)
					}
					equal(t, "R'·R", out[1], out[2])
				})
			}
		}
	}
}
