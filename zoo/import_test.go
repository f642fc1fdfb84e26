package zoo

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/convert/torch"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// TestImported imports files as PyTorch, Keras and TensorFlow write them (golden/imported.py):
// what they say of themselves is found, and they answer as they did, channels first, for
// two pictures as for one.
func TestImported(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		want Facts
		ops  string // that may be left, Transposes above all
	}{
		{"torch_old", Facts{Layout: "nchw", Width: 32, Height: 24, Batch: 1, Task: Classify, Decoder: "softmax", Classes: 7}, "Conv Flatten Gemm GlobalAveragePool HardSwish Relu"},
		{"torch_new", Facts{Layout: "nchw", Width: 32, Height: 24, Batch: 1, Task: Classify, Decoder: "probabilities", Classes: 7}, "Conv Gemm HardSwish ReduceMean Relu Reshape Softmax"},
		{"torch_segment", Facts{Layout: "nchw", Width: 32, Height: 24, Batch: 1, Task: Segment, Decoder: "mask", Classes: 4, Others: []string{"aux float32[1,12]"}}, "Concat Conv Relu Resize"},
		{"torch_binary", Facts{Layout: "nchw", Width: 32, Height: 24, Batch: 1, Task: Segment, Decoder: "mask", Classes: 1, Binary: true}, "Concat Conv Pad Relu Resize"},
		{"keras_classify", Facts{Layout: "nhwc", Width: 32, Height: 24, Task: Classify, Decoder: "probabilities", Classes: 6}, "Clip Conv Gemm Mul Pad ReduceMean Reshape Sigmoid Softmax"},
		{"keras_segment", Facts{Layout: "nhwc", Width: 32, Height: 24, Task: Segment, Decoder: "mask", Classes: 5}, "AveragePool Concat Conv LeakyRelu Relu Resize"},
		{"tensorflow", Facts{Layout: "nhwc", Width: 32, Height: 24, Task: Segment, Decoder: "mask"}, "Add ArgMax Cast Conv Mul Relu"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", "imported", tt.name)
			want, err := tensor.ReadNPZ(path + ".npz")
			if err != nil {
				t.Fatal(err)
			}
			g, err := onnx.Load(path + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			f, err := Recognise(g, "", "")
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Input, tt.want.Output = f.Input, f.Output
			if diff := cmp.Diff(tt.want, f); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if err := Adapt(g, f, f.Task, f.Width, f.Height); err != nil {
				t.Fatal(err)
			}
			for _, n := range g.Nodes {
				if !slices.Contains(strings.Fields(tt.ops), n.Op) {
					t.Errorf("%s is left, want only %s", n, tt.ops)
				}
			}
			if in := g.Inputs[0]; in.Name != f.Input || !slices.Equal(in.Shape[1:], []int64{3, 24, 32}) || in.Shape[0] >= 0 {
				t.Errorf("input %s %v, want %s [N,3,24,32]", in.Name, in.Shape, f.Input)
			}
			answersAs(t, g, want["x"], want["y"], f.Binary)
		})
	}
}

// answersAs runs a graph on an image and on two of it.
func answersAs(t *testing.T, g *onnx.Graph, x, y *tensor.Tensor, binary bool) {
	t.Helper()
	m := orttest.Load(t, g)
	one, _ := tensor.Data[float32](x)
	for n := int64(1); n <= 2; n++ {
		out, err := m.Run(t.Context(), []*tensor.Tensor{tensor.Of([]int64{n, 3, 24, 32}, slices.Repeat(one, int(n)))})
		if err != nil {
			t.Fatal(err)
		}
		got, want := numbers(t, out[0]), slices.Repeat(numbers(t, y), int(n))
		if binary { // scores of the one class are behind those of the background
			area := 24 * 32
			var only []float64
			for i := range int(n) {
				for _, v := range got[(2*i+1)*area : (2*i+2)*area] {
					only = append(only, 1/(1+math.Exp(-v)))
				}
			}
			got = only
		}
		if len(got) != len(want) {
			t.Fatalf("%d images: answer %v, want %d numbers", n, out[0].Shape, len(want))
		}
		for i := range got {
			if !(math.Abs(got[i]-want[i]) < 1e-5) {
				t.Fatalf("%d images: number %d is %v, want %v", n, i, got[i], want[i])
			}
		}
	}
}

func numbers(t *testing.T, x *tensor.Tensor) []float64 {
	t.Helper()
	var out []float64
	switch d := x.Raw().(type) {
	case []float32:
		for _, v := range d {
			out = append(out, float64(v))
		}
	case []int64:
		for _, v := range d {
			out = append(out, float64(v))
		}
	default:
		t.Fatalf("answer of %s", x.DType)
	}
	return out
}

func TestRecogniseRefuses(t *testing.T) {
	t.Parallel()
	image := func(shape ...int64) func(b *onnx.Builder) {
		return func(b *onnx.Builder) { b.Output("y", b.Relu(b.Input("x", tensor.Float32, shape))) }
	}
	tests := []struct {
		name   string
		build  func(b *onnx.Builder)
		output string
		want   string
	}{
		{"two inputs", func(b *onnx.Builder) {
			b.Output("y", b.Add(b.Input("x", tensor.Float32, onnx.Shape{1, 3, 4, 4}), b.Input("z", tensor.Float32, onnx.Shape{1, 3, 4, 4})))
		}, "", "2 inputs"},
		{"no image", image(1, 10), "", "[1,10]; an image is"},
		{"an open axis by its name", func(b *onnx.Builder) {
			b.Output("y", b.Relu(b.Input("x", tensor.Float32, onnx.Shape{b.Dim("batch"), 2, onnx.Unknown, 8})))
		}, "", "[batch,2,?,8]"},
		{"grey images", image(1, 1, 8, 8), "", "1 channels"},
		{"another output", image(1, 3, 8, 8), "z", `no output "z"; it has y float32[1,3,8,8]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			tt.build(b)
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Recognise(g, "", tt.output); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestFromWeights finds the network of a state dict, whatever its classes, and says what
// is missing of one that is none's.
func TestFromWeights(t *testing.T) {
	t.Parallel()
	dict := func(net *nn.Network, err error) *torch.StateDict {
		if err != nil {
			t.Fatal(err)
		}
		sd := &torch.StateDict{Tensors: map[string]*tensor.Tensor{}}
		for _, p := range net.Params {
			sd.Names = append(sd.Names, p.Name)
			sd.Tensors[p.Name] = p.Data
		}
		return sd
	}
	mobile := dict(nn.MobileNetV3Small(nn.ClassifierOptions{Classes: 5}))
	segmenter := dict(nn.TorchSegmenters()["deeplabv3_mobilenet_v3_large"](nn.SegmenterOptions{Classes: 4}))
	segmenter.Names = append(segmenter.Names, "aux_classifier.0.weight", "backbone.0.1.num_batches_tracked")
	for _, tt := range []struct {
		sd      *torch.StateDict
		name    string
		task    string
		classes int
	}{{mobile, "mobilenet_v3_small", Classify, 5}, {segmenter, "deeplabv3_mobilenet_v3_large", Segment, 4}} {
		w, err := FromWeights("", tt.sd, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if w.Name != tt.name || w.Task != tt.task || w.Classes != tt.classes {
			t.Errorf("got %s, %s, %d classes; want %+v", w.Name, w.Task, w.Classes, tt)
		}
		if p := w.UsualPipeline(); p.Validate() != nil || len(p.Mean) != 3 || (p.Resize == pipeline.Exact) != (tt.task == Segment) {
			t.Errorf("%s: pipeline %+v", tt.name, p)
		}
	}
	mobile.Names = mobile.Names[1:]
	delete(mobile.Tensors, "features.0.0.weight")
	if _, err := FromWeights("mobilenet_v3_small", mobile, 0, 0); err == nil || !strings.Contains(err.Error(), "missing features.0.0.weight") {
		t.Errorf("got %v, want the missing name", err)
	}
	if _, err := FromWeights("", mobile, 0, 0); err == nil || !strings.Contains(err.Error(), "nearest to mobilenet_v3_small, 1 tensors apart") {
		t.Errorf("got %v, want the nearest network", err)
	}
	if _, err := FromWeights("vgg16", mobile, 0, 0); err == nil || !strings.Contains(err.Error(), "none of efficientnet_lite0") {
		t.Errorf("got %v, want the networks there are", err)
	}
}

// TestPythonNames reads class names as Ultralytics writes them.
func TestPythonNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"two kinds of quotes", `{0: 'person', 1: "driver's seat", 2: 'a, b: c'}`, []string{"person", "driver's seat", "a, b: c"}},
		{"a number left out", `{0: 'a', 2: 'b'}`, nil},
		{"none", `{}`, nil},
		{"no dict", `person`, nil},
	} {
		if diff := cmp.Diff(tt.want, pythonNames(tt.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestSingleImage: a graph whose image has no axis for several gets one.
func TestSingleImage(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("one")
	x := b.Input("image", tensor.Float32, onnx.Shape{3, b.Dim("h"), b.Dim("w")})
	b.Output("boxes", b.Reshape(b.Relu(x), -1, 4))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Recognise(g, "", "")
	if err != nil || f.Task != Classify || !f.Single || f.Layout != pipeline.NCHW || f.Width != 0 || f.Batch != 1 {
		t.Fatalf("%+v, %v", f, err)
	}
	if err := Adapt(g, f, Detect, 4, 2); err != nil {
		t.Fatal(err)
	}
	m := orttest.Load(t, g)
	out, err := m.Run(t.Context(), []*tensor.Tensor{tensor.Of([]int64{1, 3, 2, 4}, make([]float32, 24))})
	if err != nil || g.Inputs[0].Name != "image" || !slices.Equal(out[0].Shape, []int64{6, 4}) {
		t.Errorf("%v, %v", out, err)
	}
}

// TestBatchStays: a graph for one image whose layers know the number of its windows, as a
// Swin transformer's do, takes one image still.
func TestBatchStays(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("windows")
	x := b.Input("image", tensor.Float32, onnx.Shape{1, 3, 4, 4})
	b.Output("scores", b.Reshape(b.Relu(b.Reshape(x, 4, 12)), 1, 48))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Recognise(g, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := Adapt(g, f, Classify, 4, 4); err != nil || g.Inputs[0].Shape[0] != 1 {
		t.Errorf("input %v, %v; want one image", g.Inputs[0].Shape, err)
	}
}
