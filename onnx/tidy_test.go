package onnx

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

// TestTidy: what is constant, double, idle or unread goes; layers stay apart, for a
// BatchNormalization that is folded into its Conv cannot be trained.
func TestTidy(t *testing.T) {
	t.Parallel()
	vector := func(b *Builder, v float32) *Value { return b.Const("", tensor.Vector(v, v)) }
	tests := []struct {
		name  string
		build func(b *Builder, x *Value) *Value // x is float32[1,2,4,4]
		want  []string                          // operators afterwards
	}{
		{"computed twice", func(b *Builder, x *Value) *Value { return b.Add(b.Exp(x), b.Exp(x)) }, []string{"Exp", "Add"}},
		{"equal constants are one", func(b *Builder, x *Value) *Value {
			half := func() *Value { return b.Const("", tensor.Scalar[float32](0.5)) }
			return b.Add(b.Mul(x, half()), b.Mul(x, half()))
		}, []string{"Mul", "Add"}},
		{"attributes differ", func(b *Builder, x *Value) *Value {
			return b.Add(b.Transpose(x, 0, 1, 3, 2), b.Transpose(x, 0, 1, 2, 3))
		}, []string{"Transpose", "Add"}},
		{"known beforehand", func(b *Builder, x *Value) *Value {
			return b.Mul(x, b.Neg(b.Const("", tensor.Scalar[float32](2))))
		}, []string{"Mul"}},
		{"read by nobody", func(b *Builder, x *Value) *Value { b.Sqrt(x); return b.Relu(x) }, []string{"Relu"}},
		{"a layer and its normalisation", func(b *Builder, x *Value) *Value {
			w := b.Const("w", tensor.Of([]int64{2, 2, 1, 1}, []float32{1, 2, 3, 4}))
			return b.BatchNormalization(b.Conv(x, w, nil, ConvAttrs{}), vector(b, 2), vector(b, 1), vector(b, 0.5), vector(b, 4), 1e-5)
		}, []string{"Conv", "BatchNormalization"}},
		{"pieces of a sequence", func(b *Builder, x *Value) *Value {
			two := b.Op("SplitToSequence", []*Value{x, b.Ints(1, 3)}, map[string]any{"axis": int64(-1)}, 1)[0]
			rows := b.Op("SplitToSequence", []*Value{x}, map[string]any{"axis": int64(2), "keepdims": int64(0)}, 1)[0]
			at := func(s *Value, i int64) *Value { return b.Op("SequenceAt", []*Value{s, b.Int(i)}, nil, 1)[0] }
			return b.Add(b.Unsqueeze(at(rows, -1), 2), b.ReduceSumKeep(at(two, 1), -1))
		}, []string{"Gather", "Unsqueeze", "Slice", "ReduceSum", "Add"}},
		{"random numbers are drawn twice", func(b *Builder, x *Value) *Value {
			return b.Add(b.Op("RandomNormalLike", []*Value{x}, nil, 1)[0], b.Op("RandomNormalLike", []*Value{x}, nil, 1)[0])
		}, []string{"RandomNormalLike", "RandomNormalLike", "Add"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := NewBuilder("test")
			b.Output("y", tt.build(b, b.Input("x", tensor.Float32, Shape{1, 2, 4, 4})))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			if err := Tidy(g); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range g.Nodes {
				got = append(got, n.Op)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("operators (-want +got)\n%s", d)
			}
			if len(g.Outputs) != 1 || g.Outputs[0].Name != "y" {
				t.Errorf("outputs %v, want y", g.Outputs)
			}
		})
	}
}

// TestDefaults: an input with a default is an input and an initializer of the file.
func TestDefaults(t *testing.T) {
	t.Parallel()
	build := func(d *tensor.Tensor) *Graph {
		b := NewBuilder("test")
		b.Output("y", b.Add(b.Input("x", tensor.Float32, Shape{2}), b.Input("mean", tensor.Float32, Shape{2})))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		g.Defaults = map[string]*tensor.Tensor{"mean": d}
		return g
	}
	g := build(tensor.Vector[float32](3, 4))
	w, err := newWriter(g, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range w.init {
		names = append(names, i.GetName())
	}
	if !slices.Equal(names, []string{"mean"}) {
		t.Errorf("initializers %v, want mean", names)
	}
	for name, d := range map[string]*tensor.Tensor{"another shape": tensor.Vector[float32](1, 2, 3), "another type": tensor.Vector[float64](1, 2)} {
		if err := Check(build(d)); err == nil {
			t.Errorf("%s: a default that its input cannot have is accepted", name)
		}
	}
}
