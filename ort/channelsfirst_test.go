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

// TestChannelsFirstKeepsNumbers runs graphs that take and give images with the channels
// last, and the same after onnx.ChannelsFirst, which leaves no Transpose.
func TestChannelsFirstKeepsNumbers(t *testing.T) {
	t.Parallel()
	r, err := OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	first := func(n net, x *onnx.Value) *onnx.Value { return n.Transpose(x, 0, 3, 1, 2) }
	last := func(n net, x *onnx.Value) *onnx.Value { return n.Transpose(x, 0, 2, 3, 1) }
	conv := func(n net, x *onnx.Value, c, out int64) *onnx.Value {
		return last(n, n.Conv(first(n, x), n.w(out, c, 3, 3), n.w(out), onnx.ConvAttrs{Pads: []int64{1, 1, 1, 1}}))
	}
	tests := []struct {
		name  string
		build func(n net, x *onnx.Value) *onnx.Value // x is (N, 9, 7, 3)
		left  string                                 // may be left
	}{
		{"a constant per channel, per place, for all", func(n net, x *onnx.Value) *onnx.Value {
			y := conv(n, x, 3, 4)
			return n.Sub(n.Scalar(tensor.Float32, 2), n.Div(n.Add(n.Mul(y, n.w(4)), n.w(1, 9, 7, 1)), n.Add(n.Relu(y), n.Scalar(tensor.Float32, 3))))
		}, ""},
		{"a shortcut past two layers", func(n net, x *onnx.Value) *onnx.Value {
			y := n.Relu(conv(n, x, 3, 4))
			return n.Add(y, conv(n, n.PRelu(conv(n, y, 4, 4), n.w(4)), 4, 4))
		}, ""},
		{"joined channels and padding", func(n net, x *onnx.Value) *onnx.Value {
			y := conv(n, x, 3, 4)
			y = n.Concat(-1, y, n.Sigmoid(y))
			y = n.Pad(y, 0, 1, 2, 3, 0, 0, 1, 0)
			return n.Slice(y, []int64{1, -1}, []int64{1, 2}, []int64{10, 9})
		}, ""},
		{"a softmax over channels", func(n net, x *onnx.Value) *onnx.Value { return n.Softmax(conv(n, x, 3, 4), -1) }, ""},
		{"a mean over places, kept and not", func(n net, x *onnx.Value) *onnx.Value {
			y := conv(n, x, 3, 4)
			return n.Mul(n.ReduceMeanKeep(y, 1, 2), n.Reshape(n.ReduceMax(y, 1, -2), -1, 1, 1, 4))
		}, ""},
		{"a mean over channels leaves places in order", func(n net, x *onnx.Value) *onnx.Value { return n.ReduceMean(conv(n, x, 3, 4), 3) }, ""},
		{"rows of pixels keep a Transpose", func(n net, x *onnx.Value) *onnx.Value { return n.Flatten(conv(n, x, 3, 4), 1) }, "Transpose"},
		{"a mean over rows keeps one", func(n net, x *onnx.Value) *onnx.Value { return n.ReduceMean(conv(n, x, 3, 4), 1) }, "Transpose"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := net{onnx.NewBuilder("net"), rand.New(rand.NewPCG(22, 1))}
			n.Output("y", tt.build(n, n.Input("x", tensor.Float32, onnx.Shape{n.Dim("N"), 9, 7, 3})))
			g, err := n.Graph()
			if err != nil {
				t.Fatal(err)
			}
			in := n.tensor(-1, 1, 2, 9, 7, 3)
			want := runGraph(t, r, g, in)
			if err := onnx.ChannelsFirst(g); err != nil {
				t.Fatal(err)
			}
			for _, node := range g.Nodes {
				if node.Op == "Transpose" && !strings.Contains(tt.left, node.Op) {
					t.Errorf("%s is left", node)
				}
			}
			got := runGraph(t, r, g, moved(in, 0, 3, 1, 2))
			if len(want.Shape) == 4 {
				got = moved(got, 0, 2, 3, 1)
			}
			if !slices.Equal(got.Shape, want.Shape) || g.Outputs[0].Name != "y" || g.Inputs[0].Name != "x" {
				t.Fatalf("%s %v of %s, was %v", g.Outputs[0].Name, got.Shape, g.Inputs[0].Name, want.Shape)
			}
			a, _ := tensor.Data[float32](want)
			b, _ := tensor.Data[float32](got)
			for i := range a {
				if !(math.Abs(float64(a[i]-b[i])) <= 1e-5) {
					t.Fatalf("element %d is %v, was %v", i, b[i], a[i])
				}
			}
		})
	}
}

// moved permutes the axes of a tensor of rank 4.
func moved(x *tensor.Tensor, perm ...int) *tensor.Tensor {
	d, _ := tensor.Data[float32](x)
	stride := [4]int64{x.Shape[1] * x.Shape[2] * x.Shape[3], x.Shape[2] * x.Shape[3], x.Shape[3], 1}
	shape := make([]int64, 4)
	for i, p := range perm {
		shape[i] = x.Shape[p]
	}
	out := make([]float32, 0, len(d))
	for a := range shape[0] {
		for b := range shape[1] {
			for c := range shape[2] {
				for e := range shape[3] {
					out = append(out, d[a*stride[perm[0]]+b*stride[perm[1]]+c*stride[perm[2]]+e*stride[perm[3]]])
				}
			}
		}
	}
	return tensor.Of(shape, out)
}
