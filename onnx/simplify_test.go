package onnx

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

// weights returns a constant of random elements in [0.5, 1.5), safe as a variance.
func weights(b *Builder, name string, shape ...int64) *Value {
	r := rand.New(rand.NewPCG(1, uint64(len(name))))
	data := make([]float32, tensor.Size(shape))
	for i := range data {
		data[i] = 0.5 + r.Float32()
	}
	return b.Const(name, tensor.Of(shape, data))
}

func batchNorm(b *Builder, x *Value, name string, c int64) *Value {
	return b.BatchNormalization(x, weights(b, name+".scale", c), weights(b, name+".bias", c),
		weights(b, name+".mean", c), weights(b, name+".var", c), 1e-5)
}

// TestSimplify shows each rewrite by the operators that are left. That the numbers
// stay is tested in package ort, where they can be computed.
func TestSimplify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		build func(b *Builder, x *Value) *Value // x is (N, 4, 8, 8)
		want  string
	}{
		{"BatchNormalization goes into Conv", func(b *Builder, x *Value) *Value {
			return batchNorm(b, b.Conv(x, weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{}), "bn", 6)
		}, "Conv"},
		{"BatchNormalization goes into ConvTranspose", func(b *Builder, x *Value) *Value {
			return batchNorm(b, b.ConvTranspose(x, weights(b, "w", 4, 3, 2, 2), weights(b, "b", 6), ConvAttrs{Group: 2}), "bn", 6)
		}, "ConvTranspose"},
		{"BatchNormalization goes into Gemm", func(b *Builder, x *Value) *Value {
			return batchNorm(b, b.Gemm(b.Flatten(x, 1), weights(b, "w", 256, 6), weights(b, "b", 6), GemmAttrs{}), "bn", 6)
		}, "Flatten Gemm"},
		{"a Conv that is read twice keeps its numbers", func(b *Builder, x *Value) *Value {
			y := b.Conv(x, weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{})
			return b.Add(y, batchNorm(b, y, "bn", 6))
		}, "Conv BatchNormalization Add"},
		{"BatchNormalization in training stays", func(b *Builder, x *Value) *Value {
			y, _, _ := b.BatchNormalizationTraining(b.Conv(x, weights(b, "w", 6, 4, 1, 1), nil, ConvAttrs{}), weights(b, "s", 6),
				weights(b, "b", 6), weights(b, "m", 6), weights(b, "v", 6), 1e-5, 0.9)
			return y
		}, "Conv BatchNormalization"},
		{"scale and shift per channel go into Conv", func(b *Builder, x *Value) *Value {
			y := b.Conv(x, weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{})
			y = b.Sub(weights(b, "k", 1, 6, 1, 1), b.Div(b.Mul(y, weights(b, "m", 6, 1, 1)), b.Scalar(tensor.Float32, 3)))
			return b.Relu(b.Add(weights(b, "a", 1), y))
		}, "Conv Relu"},
		{"a shift that varies over positions stays", func(b *Builder, x *Value) *Value {
			return b.Add(b.Conv(x, weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{}), weights(b, "a", 6))
		}, "Conv Add"},
		{"a constant that stretches the output stays", func(b *Builder, x *Value) *Value {
			return b.Mul(b.Conv(x, weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{}), weights(b, "a", 2, 1, 1, 1, 1))
		}, "Conv Mul"},
		{"a constant over a Conv stays", func(b *Builder, x *Value) *Value {
			return b.Div(weights(b, "a", 1), b.Conv(x, weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{}))
		}, "Conv Div"},
		{"zeros around go into Conv", func(b *Builder, x *Value) *Value {
			return b.Conv(b.Pad(x, 0, 0, 0, 1, 0, 0, 2, 3), weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{Pads: []int64{1, 1, 1, 1}})
		}, "Conv"},
		{"ones around stay", func(b *Builder, x *Value) *Value {
			return b.Conv(b.PadWith(x, []int64{0, 0, 1, 1, 0, 0, 1, 1}, "constant", b.Scalar(tensor.Float32, 1)), weights(b, "w", 6, 4, 3, 3), nil, ConvAttrs{})
		}, "Pad Conv"},
		{"added channels stay", func(b *Builder, x *Value) *Value {
			return b.Conv(b.Pad(x, 0, 0, 0, 0, 0, 1, 0, 0), weights(b, "w", 6, 5, 3, 3), nil, ConvAttrs{})
		}, "Pad Conv"},
		{"a projection goes before an upsampling", func(b *Builder, x *Value) *Value {
			return b.Conv(b.Resize(x, []float32{1, 1, 2, 2}, ResizeAttrs{Mode: "linear"}), weights(b, "w", 3, 4, 1, 1), weights(b, "b", 3), ConvAttrs{})
		}, "Conv Resize"},
		{"a projection goes before a resize to sizes", func(b *Builder, x *Value) *Value {
			x = b.Reshape(x, 2, 4, 8, 8)
			return b.Conv(b.ResizeTo(x, []int64{2, 4, 20, 24}, ResizeAttrs{}), weights(b, "w", 2, 4, 1, 1), nil, ConvAttrs{})
		}, "Reshape Conv Resize"},
		{"a projection goes before a resize of spatial axes", func(b *Builder, x *Value) *Value {
			y := b.ResizeTo(x, []int64{20, 24}, ResizeAttrs{Mode: "linear", Axes: []int64{2, 3}})
			return b.Conv(y, weights(b, "w", 2, 4, 1, 1), nil, ConvAttrs{})
		}, "Conv Resize"},
		{"a projection by computed weights stays behind", func(b *Builder, x *Value) *Value {
			w := b.Relu(b.Slice(b.Reshape(x, -1, 4, 1, 1), []int64{0}, []int64{0}, []int64{2}))
			return b.Conv(b.Resize(x, []float32{1, 1, 2, 2}, ResizeAttrs{Mode: "linear"}), w, nil, ConvAttrs{})
		}, "Reshape Slice Relu Resize Conv"},
		{"a cubic resize stays in front", func(b *Builder, x *Value) *Value {
			return b.Conv(b.Resize(x, []float32{1, 1, 2, 2}, ResizeAttrs{Mode: "cubic"}), weights(b, "w", 3, 4, 1, 1), nil, ConvAttrs{})
		}, "Resize Conv"},
		{"a projection to more channels stays behind", func(b *Builder, x *Value) *Value {
			return b.Conv(b.Resize(x, []float32{1, 1, 2, 2}, ResizeAttrs{}), weights(b, "w", 64, 4, 1, 1), nil, ConvAttrs{})
		}, "Resize Conv"},
		{"a projection stays behind a shrinking", func(b *Builder, x *Value) *Value {
			return b.Conv(b.Resize(x, []float32{1, 1, 0.5, 0.5}, ResizeAttrs{}), weights(b, "w", 4, 4, 1, 1), nil, ConvAttrs{})
		}, "Resize Conv"},
		{"Transposes that undo each other go", func(b *Builder, x *Value) *Value {
			return b.Relu(b.Transpose(b.Transpose(x, 0, 2, 3, 1), 0, 3, 1, 2))
		}, "Relu"},
		{"two Transposes become one", func(b *Builder, x *Value) *Value {
			return b.Transpose(b.Transpose(x, 0, 2, 3, 1), 0, 2, 1, 3)
		}, "Transpose"},
		{"what changes nothing goes", func(b *Builder, x *Value) *Value {
			y := b.Cast(b.Identity(b.Reshape(x, 0, 4, 8, 8)), tensor.Float32)
			y = b.Slice(b.Pad(y, 0, 0, 0, 0, 0, 0, 0, 0), []int64{2}, []int64{0}, []int64{1 << 40})
			y, _ = b.Dropout(y, 0.5, nil)
			y = b.Concat(1, b.Mul(b.Add(y, b.Scalar(tensor.Float32, 0)), b.Scalar(tensor.Float32, 1)))
			return b.Relu(b.Expand(b.Transpose(y, 0, 1, 2, 3), 1, 4, 1, 1))
		}, "Relu"},
		{"Pad that moves stays", func(b *Builder, x *Value) *Value {
			return b.Relu(b.Pad(x, 0, 0, -1, 0, 0, 0, 1, 0))
		}, "Pad Relu"},
		{"Slice that reverses stays", func(b *Builder, x *Value) *Value {
			return b.SliceStep(x, []int64{3}, []int64{-1}, []int64{-100}, []int64{-1})
		}, "Slice"},
		{"the shape of a known part is a constant", func(b *Builder, x *Value) *Value {
			hw := b.Slice(b.Shape(x), []int64{0}, []int64{2}, []int64{4})
			scale := b.Floor(b.Mul(b.Cast(hw, tensor.Float32), b.Scalar(tensor.Float32, 1.5)))
			return b.Op("Resize", []*Value{x, nil, nil, b.Cast(scale, tensor.Int64)}, map[string]any{"axes": []int64{2, 3}}, 1)[0]
		}, "Resize"},
		{"a free batch is no size of a Resize", func(b *Builder, x *Value) *Value {
			to := b.Concat(0, b.Slice(b.Shape(x), []int64{0}, []int64{0}, []int64{2}), b.Ints(16, 16))
			y := b.Op("Resize", []*Value{x, nil, nil, to}, map[string]any{"mode": "linear"}, 1)[0]
			return b.Conv(y, weights(b, "w", 2, 4, 1, 1), nil, ConvAttrs{})
		}, "Conv Resize"},
		{"the batch may stay a symbol", func(b *Builder, x *Value) *Value {
			n := b.Unsqueeze(b.Gather(b.Shape(x), b.Int(0), 0), 0)
			return b.Relu(b.ReshapeTo(x, b.Concat(0, n, b.Ints(4, 8, 8))))
		}, "Relu"},
		{"a batch that stays in its place needs no Shape", func(b *Builder, x *Value) *Value {
			n := b.Unsqueeze(b.Gather(b.Shape(x), b.Int(0), 0), 0)
			return b.ReshapeTo(x, b.Concat(0, n, b.Ints(-1, 16)))
		}, "Reshape"},
		{"a batch that moves is what is left", func(b *Builder, x *Value) *Value {
			n := b.Unsqueeze(b.Gather(b.Shape(x), b.Int(0), 0), 0)
			return b.ReshapeTo(x, b.Concat(0, b.Ints(2), n, b.Ints(128)))
		}, "Reshape"},
		{"Reshapes in a row become one", func(b *Builder, x *Value) *Value {
			return b.Reshape(b.Unsqueeze(b.Flatten(x, 1), 1), -1, 16)
		}, "Reshape"},
		{"constants are computed", func(b *Builder, x *Value) *Value {
			return b.Conv(x, b.Transpose(weights(b, "w", 3, 3, 4, 6), 3, 2, 0, 1), nil, ConvAttrs{})
		}, "Conv"},
		{"a large constant is not made of a small one", func(b *Builder, x *Value) *Value {
			return b.Add(x, b.Expand(weights(b, "w", 1), 300, 4, 8, 8))
		}, "Expand Add"},
		{"what nobody reads goes", func(b *Builder, x *Value) *Value {
			b.Exp(b.Sqrt(x))
			return b.Relu(x)
		}, "Relu"},
		{"an input that is an output keeps a node", func(b *Builder, x *Value) *Value {
			return b.Identity(x)
		}, "Identity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := NewBuilder("net")
			b.Output("y", tt.build(b, b.Input("x", tensor.Float32, Shape{b.Dim("N"), 4, 8, 8})))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			shape := g.Outputs[0].Shape
			if err := Simplify(g); err != nil {
				t.Fatal(err)
			}
			if err := Check(g); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(tt.want, ops(g)); d != "" {
				t.Errorf("operators (-want +got):\n%s", d)
			}
			y := g.Outputs[0]
			if y.Name != "y" || shape.Static() && !cmp.Equal(y.Shape, shape) {
				t.Errorf("output is %s %v, was y %v", y.Name, y.Shape, shape)
			}
		})
	}
}

func ops(g *Graph) string {
	return strings.Join(mapSlice(g.Nodes, func(n *Node) string { return n.Op }), " ")
}

// A value may be two outputs, and a value that an output needs may pass through a
// node that does nothing.
func TestSimplifyKeepsOutputs(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{2, 4})
	y := b.Relu(x)
	b.Output("a", y)
	b.Output("b", b.Identity(y))
	b.Output("c", b.Identity(b.Identity(b.Exp(x))))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := Simplify(g); err != nil {
		t.Fatal(err)
	}
	if err := Check(g); err != nil {
		t.Error(err)
	}
	names := mapSlice(g.Outputs, func(v *Value) string { return v.Name })
	if d := cmp.Diff([]string{"a", "b", "c"}, names); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
	if d := cmp.Diff("Relu Identity Exp", ops(g)); d != "" {
		t.Errorf("operators (-want +got):\n%s", d)
	}
}

// Constants of equal content become one; names of others stay.
func TestSimplifySharesConstants(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{2, 2})
	v := func(name string, f ...float32) *Value { return b.Const(name, tensor.Vector(f...)) }
	y := b.Mul(b.Mul(b.Mul(x, v("p", 1, 2)), v("q", 1, 2)), v("r", 2, 1))
	b.Output("y", b.Relu(y))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := Simplify(g); err != nil {
		t.Fatal(err)
	}
	got := mapSlice(g.Nodes[:3], func(n *Node) string { return n.In[1].Name })
	if d := cmp.Diff([]string{"p", "p", "r"}, got); d != "" {
		t.Errorf("constants (-want +got):\n%s", d)
	}
}
