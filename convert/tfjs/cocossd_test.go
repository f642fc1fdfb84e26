package tfjs

import (
	"path/filepath"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// cocoOptions cut COCO-SSD's network out from between its resize loop and its
// suppression of overlapping boxes.
var cocoOptions = Options{
	Name:   "coco-ssd",
	Inputs: []Input{{Name: "Preprocessor/sub", As: "image", Shape: []int64{-1, 300, 300, 3}}},
	Outputs: []Output{
		{Name: "Postprocessor/Slice", As: "scores"},
		{Name: "Postprocessor/ExpandDims_1", As: "boxes"},
	},
}

func convertCoco(t testing.TB) *onnx.Graph {
	t.Helper()
	g, err := ConvertFile(filepath.Join(cocoSSD(t), "model.json"), cocoOptions)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The shape of the converted graph: the batch is free, the shapes that the model
// computes are gone, and of all layout changes the boxes' and scores' heads remain.
func TestCocoSSDGraph(t *testing.T) {
	t.Parallel()
	g := convertCoco(t)
	n := g.Symbols.Dim("N")
	for _, tt := range []struct {
		v    *onnx.Value
		want onnx.Shape
	}{
		{g.Inputs[0], onnx.Shape{n, 3, 300, 300}},
		{g.Outputs[0], onnx.Shape{n, 1917, 90}},
		{g.Outputs[1], onnx.Shape{n, 1917, 1, 4}},
	} {
		if tt.v.Shape.String() != tt.want.String() {
			t.Errorf("%s is %v, want %v", tt.v.Name, tt.v.Shape, tt.want)
		}
	}
	count := map[string]int{}
	for _, node := range g.Nodes {
		count[node.Op]++
	}
	if len(g.Nodes) > 229 || count["Transpose"] > 13 || count["Conv"] != 88 || count["BatchNormalization"]+count["Cast"] > 0 {
		t.Errorf("%d nodes: %v", len(g.Nodes), count)
	}
}

// TestCocoSSD compares with TensorFlow's own run of the model (golden/cocossd.py).
func TestCocoSSD(t *testing.T) {
	t.Parallel()
	want, err := tensor.ReadNPZ("testdata/cocossd.npz")
	if err != nil {
		t.Fatal(err)
	}
	g := convertCoco(t)
	for n := int64(1); n <= 2; n++ {
		out := run(t, g, pictures(n))
		scores, boxes := out[0], out[1]
		for _, c := range []struct {
			name string
			got  *tensor.Tensor
			tol  float64
		}{
			{"scores", rows(t, scores, 64), 1e-4},
			{"boxes", rows(t, boxes, 16), 1e-4},
			{"scores_sum", sums(t, scores, 2), 1e-4},
			{"boxes_sum", sums(t, boxes, 1), 1e-4},
		} {
			compare(t, c.name, c.got, first(t, want[c.name], n), c.tol)
		}
	}
}

// pictures are golden/cocossd.py's: by formula, normalised, NCHW.
func pictures(n int64) *tensor.Tensor {
	data := make([]float32, 0, n*3*300*300)
	for i := range int(n) {
		for c := range 3 {
			for y := range 300 {
				for x := range 300 {
					p := (x*(3+i) + y*(5+2*c) + x*y/(7+i)) % 256
					data = append(data, float32(p)*(1/float32(127.5))-1)
				}
			}
		}
	}
	return tensor.Of([]int64{n, 3, 300, 300}, data)
}

// rows keeps every step-th entry of axis 1.
func rows(t testing.TB, x *tensor.Tensor, step int64) *tensor.Tensor {
	t.Helper()
	d, _ := tensor.Data[float32](x)
	size := tensor.Size(x.Shape[2:])
	shape := append([]int64{x.Shape[0], (x.Shape[1] + step - 1) / step}, x.Shape[2:]...)
	var out []float32
	for n := range x.Shape[0] {
		for i := int64(0); i < x.Shape[1]; i += step {
			at := (n*x.Shape[1] + i) * size
			out = append(out, d[at:at+size]...)
		}
	}
	return tensor.Of(shape, out)
}

// sums adds up the elements along one axis, and along the axes of size 1.
func sums(t testing.TB, x *tensor.Tensor, axis int) *tensor.Tensor {
	t.Helper()
	d, _ := tensor.Data[float32](x)
	inner := tensor.Size(x.Shape[axis+1:])
	outer := tensor.Size(x.Shape[:axis])
	out := make([]float32, outer*inner)
	for o := range outer {
		for i := range inner {
			var sum float64
			for k := range x.Shape[axis] {
				sum += float64(d[(o*x.Shape[axis]+k)*inner+i])
			}
			out[o*inner+i] = float32(sum)
		}
	}
	shape := []int64{}
	for i, n := range x.Shape {
		if i != axis && n != 1 || i == 0 {
			shape = append(shape, n)
		}
	}
	return tensor.Of(shape, out)
}

// first returns the first n entries of axis 0.
func first(t testing.TB, x *tensor.Tensor, n int64) array {
	t.Helper()
	d, _ := tensor.Data[float32](x)
	shape := append([]int64{n}, x.Shape[1:]...)
	return array{shape, x.DType.String(), toFloats(d[:tensor.Size(shape)])}
}
