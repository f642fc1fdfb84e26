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

// TestDropDeadChannelsKeepsNumbers compares a class head and a block of a MobileNet with
// themselves without the channels that are 0.
func TestDropDeadChannelsKeepsNumbers(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := net{onnx.NewBuilder("net"), rand.New(rand.NewPCG(5, 1))}
	relu6 := func(x *onnx.Value) *onnx.Value {
		return n.Clip(x, n.Scalar(tensor.Float32, 0), n.Scalar(tensor.Float32, 6))
	}
	depthwise := func(x *onnx.Value, c int64) *onnx.Value { // every other channel is dead
		w, bias := n.tensor(-1, 1, c, 1, 3, 3), n.tensor(-1, 1, c)
		weights, _ := tensor.Data[float32](w)
		offsets, _ := tensor.Data[float32](bias)
		for i := range offsets {
			if i%2 == 0 {
				offsets[i] = -0.5
				for j := range 9 {
					weights[9*i+j] *= 1e-8
				}
			}
		}
		return relu6(n.Conv(x, n.Const("", w), n.Const("", bias), onnx.ConvAttrs{Group: c, Pads: []int64{1, 1, 1, 1}}))
	}
	x := n.Input("x", tensor.Float32, onnx.Shape{n.Dim("N"), 4, 9, 7})
	shared := relu6(n.Conv(x, n.w(64, 4, 3, 3), n.w(64), onnx.ConvAttrs{Pads: []int64{1, 1, 1, 1}}))
	head := n.Conv(depthwise(shared, 64), n.w(12, 64, 1, 1), n.w(12), onnx.ConvAttrs{})
	block := n.Conv(depthwise(relu6(n.Conv(shared, n.w(96, 64, 1, 1), n.w(96), onnx.ConvAttrs{})), 96), n.w(12, 96, 1, 1), nil, onnx.ConvAttrs{})
	n.Output("y", n.Concat(1, head, block))
	g, err := n.Graph()
	if err != nil {
		t.Fatal(err)
	}
	in := n.tensor(-1, 1, 2, 4, 9, 7)
	want := runGraph(t, r, g, in)
	_, before := onnx.Count(g)
	if dropped, err := onnx.DropDeadChannels(g); !dropped || err != nil {
		t.Fatal(dropped, err)
	}
	_, after := onnx.Count(g)
	got := runGraph(t, r, g, in)
	if worst := furthest(t, got, want); !(worst <= 1e-5) {
		t.Errorf("largest difference %g", worst)
	}
	if after.MACs*3 > before.MACs*2 {
		t.Errorf("%d multiplications, were %d", after.MACs, before.MACs)
	}
}
