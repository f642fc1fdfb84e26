package onnx

import (
	"strings"
	"testing"

	"trilobite/tensor"
)

// TestKeep shows by the weights and operators that are left what is no longer computed.
// That the numbers stay is tested in package ort.
func TestKeep(t *testing.T) {
	t.Parallel()
	places := []int64{3, 1}
	conv := func(b *Builder, x *Value, name string, m int64) *Value {
		return b.Conv(x, weights(b, name, m, 4, 1, 1), weights(b, name+".bias", m), ConvAttrs{})
	}
	tests := []struct {
		name  string
		axis  int
		build func(b *Builder, x *Value) *Value // x is (N, 4, 8, 8)
		want  string                            // operators, and rows of weights; empty: nothing is kept
	}{
		{"channels", 1, func(b *Builder, x *Value) *Value { return b.Relu(conv(b, x, "w", 5)) }, "Conv:2 Relu"},
		{"classes of two anchors", 2, func(b *Builder, x *Value) *Value {
			return b.Sigmoid(b.Reshape(b.Transpose(conv(b, x, "w", 10), 0, 2, 3, 1), -1, 128, 5))
		}, "Conv:4 Transpose Reshape Sigmoid"},
		{"heads of several maps", 2, func(b *Builder, x *Value) *Value {
			small := b.MaxPool(x, PoolAttrs{Kernel: []int64{8, 8}})
			y := b.Concat(1, b.Reshape(b.Transpose(conv(b, x, "w", 10), 0, 2, 3, 1), -1, 128, 5), b.Reshape(conv(b, small, "v", 15), -1, 3, 5))
			return b.Sigmoid(y)
		}, "MaxPool Conv:4 Transpose Reshape Conv:6 Reshape Concat Sigmoid"},
		{"a background cut off", 1, func(b *Builder, x *Value) *Value {
			return b.Slice(conv(b, x, "w", 5), []int64{1}, []int64{1}, []int64{5})
		}, "Conv:2 Identity"},
		{"a Slice of places", 1, func(b *Builder, x *Value) *Value {
			return b.Slice(conv(b, x, "w", 5), []int64{2}, []int64{1}, []int64{5})
		}, "Conv:2 Slice"},
		{"a Conv that is read twice", 1, func(b *Builder, x *Value) *Value {
			y := conv(b, x, "w", 5)
			b.Output("other", b.Neg(y))
			return b.Relu(y)
		}, ""},
		{"channels each by itself", 1, func(b *Builder, x *Value) *Value {
			return b.Conv(b.Relu(conv(b, x, "w", 4)), weights(b, "v", 4, 1, 3, 3), nil, ConvAttrs{Group: 4})
		}, "Conv:2 Relu Conv:2"},
		{"channels each by itself, of an input", 1, func(b *Builder, x *Value) *Value {
			return b.Conv(x, weights(b, "w", 4, 1, 3, 3), nil, ConvAttrs{Group: 4})
		}, "Gather Conv:2"},
		{"channels in groups", 1, func(b *Builder, x *Value) *Value {
			return b.Conv(x, weights(b, "w", 4, 2, 3, 3), nil, ConvAttrs{Group: 2})
		}, ""},
		{"classes that share a sum", 1, func(b *Builder, x *Value) *Value { return b.Softmax(conv(b, x, "w", 5), 1) }, ""},
		{"joined along the axis", 1, func(b *Builder, x *Value) *Value {
			return b.Concat(1, conv(b, x, "w", 2), conv(b, x, "v", 3))
		}, ""},
		{"a Reshape across the axis", 1, func(b *Builder, x *Value) *Value {
			return b.Reshape(conv(b, x, "w", 5), -1, 20, 16)
		}, ""},
		{"an input", 1, func(_ *Builder, x *Value) *Value { return x }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := simplified(t, tt.build)
			whole, before := g.Outputs[len(g.Outputs)-1].Shape, operators(g)
			kept, err := Keep(g, "y", tt.axis, places)
			if err == nil {
				err = Check(g)
			}
			if err != nil {
				t.Fatal(err)
			}
			got := g.Outputs[len(g.Outputs)-1].Shape
			switch {
			case kept != (tt.want != ""):
				t.Errorf("kept %v", kept)
			case !kept && (operators(g) != before || got[tt.axis] != whole[tt.axis]):
				t.Errorf("nothing was kept, but %q %s became %q %s", before, whole, operators(g), got)
			case kept && (operators(g) != tt.want || got[tt.axis] != 2):
				t.Errorf("%q %s, want %q", operators(g), got, tt.want)
			}
		})
	}
}

// simplified returns the graph of an output y of x (N, 4, 8, 8), without the Identity that
// gives it its name.
func simplified(t *testing.T, build func(b *Builder, x *Value) *Value) *Graph {
	t.Helper()
	b := NewBuilder("g")
	b.Output("y", build(b, b.Input("x", tensor.Float32, Shape{b.Dim("N"), 4, 8, 8})))
	g, err := b.Graph()
	if err == nil {
		err = Simplify(g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// operators lists a graph's operators, Convs with their rows of weights.
func operators(g *Graph) string {
	var all []string
	for _, n := range g.Nodes {
		op := n.Op
		if op == "Conv" {
			op += ":" + strings.Trim(n.In[1].Shape[:1].String(), "[]")
		}
		all = append(all, op)
	}
	return strings.Join(all, " ")
}

func TestKeepRefuses(t *testing.T) {
	t.Parallel()
	b := NewBuilder("g")
	b.Output("y", b.Relu(b.Input("x", tensor.Float32, Shape{1, 4})))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		output string
		axis   int
		places []int64
		want   string
	}{
		{"z", 1, []int64{0}, `"z"`},
		{"y", 2, []int64{0}, "axis 2"},
		{"y", 1, []int64{4}, "[4]"},
		{"y", 1, []int64{-1}, "[-1]"},
		{"y", 1, nil, "[]"},
	} {
		if _, err := Keep(g, c.output, c.axis, c.places); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Keep(%q, %d, %v) = %v, want an error with %s", c.output, c.axis, c.places, err, c.want)
		}
	}
}
