package classify

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite"
	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/ort/orttest"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// means loads a model of three classes whose logits are the means of the channels.
func means(t *testing.T) *ort.Model {
	t.Helper()
	b := onnx.NewBuilder("means")
	x := b.Input("x", tensor.Float32, onnx.Shape{1, 3, 4, 4})
	b.Output("logits", b.Flatten(b.GlobalAveragePool(x), 1))
	return orttest.Build(t, b)
}

var spec = pipeline.Spec{Width: 4, Height: 4, Std: []float32{255}}

func red() *imageio.Image {
	m := imageio.New(4, 4)
	for i := 0; i < len(m.Pix); i += 3 {
		m.Pix[i] = 255
	}
	return m
}

func TestClassify(t *testing.T) {
	t.Parallel()
	m := means(t)
	first := float32(math.E / (math.E + 2)) // logits 1, 0, 0
	rest := float32(1 / (math.E + 2))
	tests := []struct {
		name     string
		c        Config
		minScore float32
		most     int
		want     []trilobite.Classification
	}{
		{"logits, all classes, ties in their order", Config{Decoder: "softmax", Labels: []string{"red", "green", "blue"}}, 0, 0,
			[]trilobite.Classification{{Class: 0, Name: "red", Score: first, Model: "means"}, {Class: 1, Name: "green", Score: rest, Model: "means"}, {Class: 2, Name: "blue", Score: rest, Model: "means"}}},
		{"above a score", Config{Decoder: "softmax", Labels: []string{"red", "green", "blue"}}, 0.5, 0,
			[]trilobite.Classification{{Class: 0, Name: "red", Score: first, Model: "means"}}},
		{"two of them", Config{Decoder: "softmax", Labels: []string{"red", "green", "blue"}}, 0, 2,
			[]trilobite.Classification{{Class: 0, Name: "red", Score: first, Model: "means"}, {Class: 1, Name: "green", Score: rest, Model: "means"}}},
		{"probabilities as they are", Config{Decoder: "probabilities", Labels: []string{"red", "green", "blue"}}, 0.5, 0,
			[]trilobite.Classification{{Class: 0, Name: "red", Score: 1, Model: "means"}}},
		{"each class on its own", Config{Decoder: "sigmoid", Labels: []string{"red", "green", "blue"}}, 0, 2,
			[]trilobite.Classification{{Class: 0, Name: "red", Score: 0.7310586, Model: "means"}, {Class: 1, Name: "green", Score: 0.5, Model: "means"}}},
		{"a background before the labels", Config{Decoder: "softmax", Labels: []string{"green", "blue"}, Offset: 1}, 0, 1,
			[]trilobite.Classification{{Class: 0, Name: "green", Score: rest, Model: "means"}}},
		{"a class without a name", Config{Decoder: "softmax", Labels: []string{"", "green", "blue"}}, 0.5, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.c.Pipeline = spec
			k, err := New(m, tt.c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.Classify(t.Context(), red(), tt.minScore, tt.most)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-6, 0), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Classify (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	m := means(t)
	three := []string{"a", "b", "c"}
	tests := []struct {
		name string
		c    Config
		want string
	}{
		{"too many labels", Config{Pipeline: spec, Decoder: "softmax", Labels: make([]string, 4)}, "expects one float32 output [1,4] for 4 labels and offset 0, the model has [logits float32 [1,3]]"},
		{"no labels", Config{Pipeline: spec, Decoder: "softmax"}, "for 0 labels"},
		{"another decoder", Config{Pipeline: spec, Decoder: "ssd", Labels: three}, `decoder "ssd"`},
		{"another size", Config{Pipeline: pipeline.Spec{Width: 8, Height: 8}, Decoder: "softmax", Labels: three}, "[1 3 8 8] (nchw)"},
		{"another layout", Config{Pipeline: pipeline.Spec{Width: 4, Height: 4, Layout: pipeline.NHWC}, Decoder: "softmax", Labels: three}, "[1 4 4 3] (nhwc)"},
		{"no preprocessing", Config{Decoder: "softmax", Labels: three}, "width is 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(m, tt.c)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "means") {
				t.Errorf("New: %v, want model means and %q", err, tt.want)
			}
		})
	}
}

func TestSoftmax(t *testing.T) {
	t.Parallel()
	inf := float32(math.Inf(1))
	tests := []struct {
		name     string
		in, want []float32
	}{
		{"two alike", []float32{3, 3}, []float32{0.5, 0.5}},
		{"logits beyond what exp can hold", []float32{1000, 0}, []float32{1, 0}},
		{"far below", []float32{-1000, -1000}, []float32{0.5, 0.5}},
		{"an infinity leaves no class a score", []float32{inf, 0}, []float32{float32(math.NaN()), float32(math.NaN())}},
		{"none", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, softmax(tt.in), cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-6, 0)); diff != "" {
				t.Errorf("softmax (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSigmoid's values are PyTorch's, torch.sigmoid.
func TestSigmoid(t *testing.T) {
	t.Parallel()
	in := []float32{0, 2, -2, 1000, -1000, float32(math.NaN())}
	want := []float32{0.5, 0.880797, 0.119203, 1, 0, float32(math.NaN())}
	if diff := cmp.Diff(want, sigmoid(in), cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-6, 0)); diff != "" {
		t.Errorf("sigmoid (-want +got):\n%s", diff)
	}
}

// TestTiles: of a picture half red, half blue in two tiles, the mean counts where one class is
// true, the best where each is on its own.
func TestTiles(t *testing.T) {
	t.Parallel()
	img := imageio.New(64, 32)
	for i := range 64 * 32 {
		img.Pix[3*i+i%64/32*2] = 255
	}
	tiled := spec
	tiled.Steps = []pipeline.Step{{Name: "tile", Op: &pipeline.Tile{Width: 32, Height: 32}}}
	half := float32((math.E + 1) / (math.E + 2) / 2)
	for decoder, want := range map[string][3]float32{
		"softmax": {half, 1 - 2*half, half}, "probabilities": {0.5, 0, 0.5}, "sigmoid": {0.7310586, 0.5, 0.7310586},
	} {
		k, err := New(means(t), Config{Pipeline: tiled, Decoder: decoder, Labels: []string{"red", "green", "blue"}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Classify(t.Context(), img, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got {
			if math.Abs(float64(c.Score-want[c.Class])) > 1e-6 {
				t.Errorf("%s: %s has %v, want %v", decoder, c.Name, c.Score, want[c.Class])
			}
		}
	}
}
