// Package servingtest makes small models to serve in tests, whose answers can be told by
// looking at the picture.
package servingtest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/serving"
	"trilobite/taxonomy"
	"trilobite/tensor"
	"trilobite/zoo"
)

// Side is the width and height of the models' input, pixels.
const Side = 16

// Open returns a registry of two models, which it closes at the end of the test:
//
//	rgb   segments: each pixel is "red", "green" or "blue", whichever is most there;
//	      x [N,3,16,16] → scores, the same
//	tint  classifies: the colour that is most there on the whole;
//	      x [N,3,16,16] → logits [N,3], the mean of each colour, −2 to 2
func Open(t testing.TB, memory int64) (*serving.Registry, *zoo.Store) {
	t.Helper()
	store := zoo.NewStore(t.TempDir())
	Put(t, store, "rgb", zoo.Segment)
	Put(t, store, "tint", zoo.Classify)
	rt, err := ort.Open("")
	if err != nil {
		t.Fatalf("%v (run `make deps`)", err)
	}
	r := serving.New(serving.Config{Runtime: rt, Store: store, Memory: memory, Images: 64 << 20})
	t.Cleanup(r.Close)
	return r, store
}

// Put installs the next version of a model that does what rgb or tint does, by its task. Of
// zoo.Detect it finds a quarter of the picture where that is red or blue; green, which it
// knows too, has no name:
//
//	x [N,3,16,16] → scores [N,4,3], boxes [1,4,4]
func Put(t testing.TB, store *zoo.Store, name, task string) zoo.Model {
	t.Helper()
	b := onnx.NewBuilder(name)
	x := b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 3, Side, Side})
	decoder, names := zoo.Decoder{Name: "mask"}, []string{"red", "green", "blue"}
	switch task {
	case zoo.Segment:
		b.Output("scores", b.Identity(x))
	case zoo.Detect:
		decoder, names[1] = zoo.Decoder{Name: "ssd"}, ""
		each := onnx.PoolAttrs{Kernel: []int64{Side / 2, Side / 2}, Strides: []int64{Side / 2, Side / 2}}
		w := b.Const("w", tensor.Of([]int64{3, 3, 1, 1}, []float32{4, -4, -4, -4, 4, -4, -4, -4, 4}))
		y := b.Conv(b.AveragePool(x, each), w, nil, onnx.ConvAttrs{})
		b.Output("scores", b.Sigmoid(b.Reshape(b.Transpose(y, 0, 2, 3, 1), -1, 4, 3)))
		b.Output("boxes", b.Identity(b.Const("quarters", tensor.Of([]int64{1, 4, 4},
			[]float32{0, 0, .5, .5, 0, .5, .5, 1, .5, 0, 1, .5, .5, .5, 1, 1}))))
	default:
		decoder.Name = "softmax"
		b.Output("logits", b.Op("ReduceMean", []*onnx.Value{x, b.Ints(2, 3)}, map[string]any{"keepdims": int64(0)}, 1)[0])
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	var labels zoo.Labels
	for _, n := range names {
		labels.Classes = append(labels.Classes, zoo.Class{Name: n, Label: taxonomy.Entry{Name: n}})
	}
	m, err := store.Put(zoo.Card{
		Name: name, Task: task, Title: "Colours", Source: zoo.Source{File: "test"}, Convert: zoo.Convert{Format: "onnx"}, Licence: "none",
		Pipeline: pipeline.Spec{Width: Side, Height: Side, Mean: []float32{127.5}, Std: []float32{63.75}, Filter: imageio.Bilinear},
		Decoder:  decoder,
	}, g, labels)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Picture is a PNG of w×h pixels, red on its left half and blue on its right.
func Picture(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 220, G: 20, B: 30, A: 255}
			if x >= w/2 {
				c = color.RGBA{R: 10, G: 20, B: 240, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
