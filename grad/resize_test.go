package grad

import (
	"fmt"
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

// TestResizeMatrix compares the interpolation matrix in every mode with ONNX Runtime's
// Resize of the unit matrix along its rows, which is that matrix.
func TestResizeMatrix(t *testing.T) {
	t.Parallel()
	const in = 5
	unit := make([]float32, in*in)
	for i := range in {
		unit[i*in+i] = 1
	}
	x := []*tensor.Tensor{tensor.Of([]int64{in, in}, unit)}
	for _, coordinates := range []string{"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric"} {
		for _, mode := range []string{"linear", "floor", "ceil", "round_prefer_floor", "round_prefer_ceil"} {
			for _, scale := range []float32{0.21, 0.6, 1.3, 1.5, 2, 3.3} {
				if mode != "linear" && coordinates == "half_pixel_symmetric" {
					continue // no rule: ONNX Runtime rounds otherwise
				}
				t.Run(fmt.Sprint(coordinates, " ", mode, " ", scale), func(t *testing.T) {
					t.Parallel()
					a := onnx.ResizeAttrs{Coordinates: coordinates, Nearest: mode}
					if mode == "linear" {
						a = onnx.ResizeAttrs{Coordinates: coordinates, Mode: mode}
					}
					b := onnx.NewBuilder("unit")
					b.Output("y", b.Resize(b.Input("x", tensor.Float32, onnx.Shape{in, in}), []float32{scale, 1}, a))
					y, err := orttest.Build(t, b).Run(t.Context(), x)
					if err != nil {
						t.Fatal(err)
					}
					r := resizer{in: in, out: y[0].Shape[0], scale: scale, coordinates: coordinates, nearest: mode}
					equal(t, "matrix", ofType(tensor.Float32, y[0].Shape, r.matrix(mode == "linear")), y[0])
				})
			}
		}
	}
}
