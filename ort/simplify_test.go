package ort

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// net builds graphs of seeded random weights.
type net struct {
	*onnx.Builder
	rand *rand.Rand
}

func (n net) tensor(lo, hi float32, shape ...int64) *tensor.Tensor {
	data := make([]float32, tensor.Size(shape))
	for i := range data {
		data[i] = lo + (hi-lo)*n.rand.Float32()
	}
	return tensor.Of(shape, data)
}

// w is a constant between -1 and 1.
func (n net) w(shape ...int64) *onnx.Value { return n.Const("", n.tensor(-1, 1, shape...)) }

// norm is a BatchNormalization of c channels as training leaves it.
func (n net) norm(x *onnx.Value, c int64) *onnx.Value {
	return n.BatchNormalization(x, n.w(c), n.w(c), n.w(c), n.Const("", n.tensor(0.1, 2, c)), 1e-3)
}

// TestSimplifyKeepsNumbers runs graphs before and after onnx.Simplify.
func TestSimplifyKeepsNumbers(t *testing.T) {
	t.Parallel()
	r := open(t)
	conv := func(strides, pads []int64, group int64) onnx.ConvAttrs {
		return onnx.ConvAttrs{Strides: strides, Pads: pads, Group: group}
	}
	tests := []struct {
		name  string
		build func(n net, x *onnx.Value) *onnx.Value // x is (N, 4, 9, 7)
		gone  string                                 // an operator that must be gone
	}{
		{"Conv in groups, normalised, scaled and shifted", func(n net, x *onnx.Value) *onnx.Value {
			y := n.norm(n.Conv(x, n.w(6, 2, 3, 3), n.w(6), conv([]int64{2, 1}, []int64{1, 0, 1, 2}, 2)), 6)
			y = n.Sub(n.w(1), n.Add(n.Mul(y, n.w(6, 1, 1)), n.w(1, 6, 1, 1)))
			return n.Relu(n.Div(y, n.Const("", n.tensor(1, 2, 6, 1, 1))))
		}, "BatchNormalization Mul Add Sub Div"},
		{"ConvTranspose in groups", func(n net, x *onnx.Value) *onnx.Value {
			return n.norm(n.ConvTranspose(x, n.w(4, 3, 2, 3), nil, conv([]int64{2, 2}, nil, 2)), 6)
		}, "BatchNormalization"},
		{"ConvTranspose with a bias", func(n net, x *onnx.Value) *onnx.Value {
			return n.Mul(n.norm(n.ConvTranspose(x, n.w(4, 5, 3, 3), n.w(5), conv(nil, nil, 0)), 5), n.w(5, 1, 1))
		}, "BatchNormalization Mul"},
		{"Gemm with its factors", func(n net, x *onnx.Value) *onnx.Value {
			a := onnx.GemmAttrs{Alpha: 0.5, Beta: 3, TransB: true}
			return n.Add(n.norm(n.Gemm(n.Flatten(x, 1), n.w(5, 252), n.w(1, 5), a), 5), n.w(5))
		}, "BatchNormalization Add"},
		{"Gemm, not transposed, with one number for bias", func(n net, x *onnx.Value) *onnx.Value {
			return n.Mul(n.Gemm(n.Flatten(x, 1), n.w(252, 5), n.w(), onnx.GemmAttrs{}), n.w(1, 5))
		}, "Mul"},
		{"zeros around a Conv with strides", func(n net, x *onnx.Value) *onnx.Value {
			return n.Conv(n.Pad(x, 0, 0, 0, 1, 0, 0, 2, 3), n.w(5, 4, 3, 3), nil, conv([]int64{2, 2}, []int64{1, 0, 0, 1}, 0))
		}, "Pad"},
		{"projection before linear, half_pixel", func(n net, x *onnx.Value) *onnx.Value {
			y := n.Resize(x, []float32{1, 1, 2, 3}, onnx.ResizeAttrs{Mode: "linear"})
			return n.Relu(n.norm(n.Conv(y, n.w(3, 4, 1, 1), n.w(3), conv(nil, nil, 0)), 3))
		}, "BatchNormalization"},
		{"projection before linear, align_corners", func(n net, x *onnx.Value) *onnx.Value {
			y := n.ResizeTo(x, []int64{30, 20}, onnx.ResizeAttrs{Mode: "linear", Coordinates: "align_corners", Axes: []int64{2, 3}})
			return n.Sigmoid(n.Conv(y, n.w(2, 4, 1, 1), n.w(2), conv(nil, nil, 0)))
		}, ""},
		{"projection before nearest", func(n net, x *onnx.Value) *onnx.Value {
			y := n.Resize(x, []float32{1, 1, 2.5, 2}, onnx.ResizeAttrs{Coordinates: "asymmetric", Nearest: "floor"})
			return n.Sigmoid(n.Conv(y, n.w(2, 2, 1, 1), n.w(2), conv(nil, nil, 2)))
		}, ""},
		{"a Resize to sizes with a free batch", func(n net, x *onnx.Value) *onnx.Value {
			to := n.Concat(0, n.Slice(n.Shape(x), []int64{0}, []int64{0}, []int64{2}), n.Ints(17, 13))
			return n.Op("Resize", []*onnx.Value{x, nil, nil, to}, map[string]any{"mode": "linear"}, 1)[0]
		}, "Shape Slice Concat"},
		{"layouts there and back", func(n net, x *onnx.Value) *onnx.Value {
			y := n.Transpose(n.Transpose(n.Transpose(x, 0, 2, 3, 1), 3, 0, 2, 1), 1, 2, 0, 3)
			return n.Reshape(n.Unsqueeze(n.Flatten(y, 2), 1), 7, -1)
		}, "Flatten Unsqueeze"},
		{"a shape that the graph computes", func(n net, x *onnx.Value) *onnx.Value {
			batch := n.Unsqueeze(n.Gather(n.Shape(x), n.Int(0), 0), 0)
			hw := n.Slice(n.Shape(x), []int64{0}, []int64{2}, []int64{4})
			to := n.Cast(n.Floor(n.Mul(n.Cast(hw, tensor.Float32), n.Scalar(tensor.Float32, 1.7))), tensor.Int64)
			y := n.Op("Resize", []*onnx.Value{x, nil, nil, to}, map[string]any{"axes": []int64{2, 3}, "mode": "linear"}, 1)[0]
			return n.ReshapeTo(y, n.Concat(0, batch, n.Ints(-1)))
		}, "Floor Slice Cast Shape Gather Concat"},
		{"constants computed from constants", func(n net, x *onnx.Value) *onnx.Value {
			k := n.Sqrt(n.Abs(n.Sub(n.Transpose(n.w(1, 7, 4, 3), 0, 2, 3, 1), n.w(4, 1, 7))))
			k = n.Concat(2, n.Pad(n.SliceStep(k, []int64{2}, []int64{-1}, []int64{-9}, []int64{-1}), 0, 0, -1, 0, 0, 0, 3, 0), k, n.Tile(n.Exp(n.w(1, 4, 1, 7)), 1, 1, 1, 1))
			k = n.Where(n.Greater(k, n.Scalar(tensor.Float32, 0.3)), k, n.ReduceMeanKeep(k, 2, 3))
			return n.Mul(x, n.Gather(k, n.Ints(0, -1, 2, 3, 4, 5, 6, 7, 8), 2))
		}, "Sqrt Slice Pad Where Greater ReduceMean Gather"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := net{onnx.NewBuilder("net"), rand.New(rand.NewPCG(22, 1))}
			x := n.Input("x", tensor.Float32, onnx.Shape{n.Dim("N"), 4, 9, 7})
			n.Output("y", tt.build(n, x))
			g, err := n.Graph()
			if err != nil {
				t.Fatal(err)
			}
			in := n.tensor(-1, 1, 2, 4, 9, 7)
			want := runGraph(t, r, g, in)
			before := len(g.Nodes)
			if err := onnx.Simplify(g); err != nil {
				t.Fatal(err)
			}
			for _, node := range g.Nodes {
				if slices.Contains(strings.Fields(tt.gone), node.Op) {
					t.Errorf("%s is still there", node.Op)
				}
			}
			got := runGraph(t, r, g, in)
			worst := furthest(t, got, want)
			t.Logf("%d nodes, were %d; largest difference %.2g", len(g.Nodes), before, worst)
			if !(worst <= 1e-4) {
				t.Errorf("largest difference %g", worst)
			}
		})
	}
}

// furthest returns the largest difference between two tensors of one shape.
func furthest(t *testing.T, got, want *tensor.Tensor) float64 {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("shape %v, was %v", got.Shape, want.Shape)
	}
	a, _ := tensor.Data[float32](want)
	b, _ := tensor.Data[float32](got)
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
	}
	return worst
}

// runGraph returns the only output of g.
func runGraph(t *testing.T, r *Runtime, g *onnx.Graph, in *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	if err := onnx.Check(g); err != nil {
		t.Fatal(err)
	}
	data, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.LoadBytes(t.Context(), data, Options{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := m.Run(t.Context(), []*tensor.Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}
