package ort

import (
	"math/rand/v2"
	"slices"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// TestKeepKeepsNumbers compares graphs of which onnx.Keep has left some classes with the
// same classes of the whole, bit for bit.
func TestKeepKeepsNumbers(t *testing.T) {
	t.Parallel()
	r := open(t)
	places := []int64{0, 3, 4, 6}
	// heads are the scores of an SSD of two maps: 8 classes, the first one the background.
	heads := func(n net, x *onnx.Value) *onnx.Value {
		large := n.Relu(n.Conv(x, n.w(32, 4, 3, 3), n.w(32), onnx.ConvAttrs{Pads: []int64{1, 1, 1, 1}}))
		small := n.Relu(n.Conv(large, n.w(48, 32, 9, 7), n.w(48), onnx.ConvAttrs{}))
		all := n.Concat(1,
			n.Reshape(n.Transpose(n.Conv(large, n.w(24, 32, 1, 1), n.w(24), onnx.ConvAttrs{}), 0, 2, 3, 1), -1, 189, 8),
			n.Reshape(n.Conv(small, n.w(48, 48, 1, 1), nil, onnx.ConvAttrs{}), -1, 6, 8))
		return n.Slice(n.Sigmoid(all), []int64{2}, []int64{1}, []int64{8})
	}
	build := func(classes []int64) *onnx.Graph {
		n := net{onnx.NewBuilder("net"), rand.New(rand.NewPCG(3, 1))}
		y := heads(n, n.Input("x", tensor.Float32, onnx.Shape{n.Dim("N"), 4, 9, 7}))
		if classes != nil {
			y = n.Gather(y, n.Ints(classes...), 2)
		}
		n.Output("y", y)
		g, err := n.Graph()
		if err == nil {
			err = onnx.Simplify(g)
		}
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	n := net{nil, rand.New(rand.NewPCG(4, 1))}
	in := n.tensor(-1, 1, 2, 4, 9, 7)
	want := runGraph(t, r, build(places), in)
	g := build(nil)
	if kept, err := onnx.Keep(g, "y", 2, places); !kept || err != nil {
		t.Fatal(kept, err)
	}
	got := runGraph(t, r, g, in)
	a, _ := tensor.Data[float32](want)
	b, _ := tensor.Data[float32](got)
	if !slices.Equal(got.Shape, want.Shape) || !slices.Equal(a, b) {
		t.Errorf("%v %v…, want %v %v…", got.Shape, b[:4], want.Shape, a[:4])
	}
}
