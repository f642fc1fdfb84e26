package onnx

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

func TestBuilderNames(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{b.Dim("N"), 3, 8, 8})
	w := b.Const("w", tensor.Of([]int64{4, 3, 1, 1}, make([]float32, 12)))
	y := b.Relu(b.Conv(x, w, nil, ConvAttrs{Strides: []int64{2, 2}}))
	b.Output("y", y)
	b.Output("again", y)
	b.Output("same", x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range g.Nodes {
		got = append(got, n.Op+" "+n.Name+" -> "+n.Out[0].Name)
	}
	want := []string{"Conv Conv_1 -> Conv_1_out", "Relu Relu_1 -> y", "Identity Identity_1 -> again", "Identity Identity_2 -> same"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("nodes (-want +got):\n%s", d)
	}
	if len(g.Nodes[0].In) != 2 {
		t.Errorf("Conv without bias has %d inputs", len(g.Nodes[0].In))
	}
	a := g.Nodes[0].Conv()
	want2 := ConvAttrs{Strides: []int64{2, 2}, Dilations: []int64{1, 1}, Pads: []int64{0, 0, 0, 0}, Group: 1, AutoPad: "NOTSET", OutputPadding: []int64{0, 0}}
	if d := cmp.Diff(want2, a); d != "" {
		t.Errorf("Conv attributes (-want +got):\n%s", d)
	}
}

func TestBuilderErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		build func(b *Builder)
		want  string
	}{
		{"a name is used once", func(b *Builder) { b.Input("x", tensor.Float32, Shape{1}) }, `input "x": the name is taken`},
		{"a constant has elements", func(b *Builder) { b.Const("c", nil) }, `constant "c" is nil`},
		{"an attribute is of a known type", func(b *Builder) { b.Op("Relu", nil, map[string]any{"a": 1}, 1) }, `Relu "Relu_1": attribute a is a int`},
		{"a graph has outputs", func(*Builder) {}, `graph "net" has no output`},
		{"a string is no number", func(b *Builder) { b.Scalar(tensor.String, 1) }, "no scalar 1 of type string"},
		{"the first error is told", func(b *Builder) {
			b.Output("x", nil)
			b.Relu(b.Const("x", nil))
		}, `output "x" is nil`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := NewBuilder("net")
			b.Input("x", tensor.Float32, Shape{1})
			tt.build(b)
			_, err := b.Graph()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestExtend(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{2})
	b.Output("Relu_2", b.Relu(x))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	e := Extend(g)
	e.Output("y", e.Relu(g.Outputs[0]))
	if _, err := e.Graph(); err != nil {
		t.Fatal(err)
	}
	if n := g.Nodes[1].Name; n != "Relu_3" {
		t.Errorf("second node is %q; Relu_1 and Relu_2 are taken", n)
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{b.Dim("N"), 3})
	flag := b.Input("flag", tensor.Bool, Shape{})
	branch := func(f func(b *Builder) *Value) *Graph {
		body := b.Body("branch")
		body.Output(body.unique("result"), f(body))
		g, err := body.Graph()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	y := b.Op("If", []*Value{flag}, map[string]any{
		"then_branch": branch(func(b *Builder) *Value { return b.Relu(x) }),
		"else_branch": branch(func(b *Builder) *Value { return b.Neg(x) }),
	}, 1)[0]
	b.Output("y", y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	data, err := Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = Parse(data, ""); err != nil {
		t.Fatal(err)
	}
	if v := g.Outputs[0]; v.DType != tensor.Float32 || !cmp.Equal(v.Shape, Shape{-2, 3}) {
		t.Errorf("y is %v%v, want float32[-2,3]", v.DType, v.Shape)
	}
}

func TestHalfBits(t *testing.T) {
	t.Parallel()
	// numpy.float32(f).astype("float16").view("u2")
	tests := []struct {
		f    float32
		want uint16
	}{
		{1, 0x3c00}, {-2, 0xc000}, {65504, 0x7bff}, {65520, 0x7c00}, {1e9, 0x7c00}, {0.1, 0x2e66},
		{6.1035156e-05, 0x0400}, {5.9604645e-08, 0x0001}, {2.9802322e-08, 0x0000}, {2.9802326e-08, 0x0001},
		{1.00048828125, 0x3c00}, {1.00146484375, 0x3c02}, {6.0975552e-05, 0x03ff}, {6.1e-05, 0x03ff},
	}
	for _, tt := range tests {
		if got := halfBits(tt.f); got != tt.want {
			t.Errorf("halfBits(%g) = %#04x, want %#04x", tt.f, got, tt.want)
		}
	}
	if got := bfloatBits(1.00390625); got != 0x3f80 { // a tie
		t.Errorf("bfloatBits = %#04x", got)
	}
}
