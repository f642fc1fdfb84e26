package step

import (
	"errors"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// kerasStep makes the gradient of one of golden/keras_norm.py's files, and its weights.
func kerasStep(t *testing.T, file string, mode BatchNormMode) (*Step, map[string]*tensor.Tensor, error) {
	t.Helper()
	g, err := onnx.Load("testdata/keras_" + file + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	spelled, err := JoinBatchNorm(g)
	if err != nil {
		t.Fatal(err)
	}
	if len(spelled) != 2 {
		t.Fatalf("%d normalisations are found, want 2", len(spelled))
	}
	params := Trainable(g, g.Outputs[0])
	value, _, err := Target(g, g.Outputs[0], TargetSpec{Loss: "cross-entropy"})
	if err != nil {
		t.Fatal(err)
	}
	inits := map[string]*tensor.Tensor{}
	for _, p := range params {
		inits[p.Name] = p.Data
	}
	s, err := Build(g, Spec{Loss: value, Params: params, BatchNorm: mode, Spelled: spelled})
	return s, inits, err
}

// TestKeras compares loss, derivatives and running statistics of a channels-last network
// with Softmax with Keras' own.
func TestKeras(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/keras.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file, name string
		mode       BatchNormMode
	}{{"export", "frozen", AsGiven}, {"export", "frozen", Frozen}, {"fresh", "train", Train}, {"unfolded", "train", Train}, {"unfolded", "frozen", Frozen}} {
		t.Run(tt.file+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			s, inits, err := kerasStep(t, tt.file, tt.mode)
			if err != nil {
				t.Fatal(err)
			}
			given := map[string]*tensor.Tensor{s.Graph.Inputs[0].Name: golden["x"], "target": golden["target"]}
			for _, slot := range s.Slots {
				given[slot.In] = slot.Init
			}
			out := run(t, orttest.Load(t, s.Graph), given, inits)
			compared := 0
			for key, want := range golden {
				name, ours := strings.CutPrefix(key, tt.file+"."+tt.name+".")
				if !ours {
					continue
				}
				got := out[strings.ReplaceAll(name, "|", "/")]
				if got == nil {
					t.Errorf("there is no %s", name)
					continue
				}
				equal(t, name, got, want)
				compared++
			}
			if compared < 9 {
				t.Errorf("only %d tensors are in the golden file", compared)
			}
			for name := range out {
				if strings.Contains(name, "moving") && strings.HasSuffix(name, ".grad") {
					t.Errorf("%s: a running statistic is trained", name)
				}
			}
		})
	}
}

// TestFolded: of a trained layer whose scale and variance are one number the batch's
// variance cannot be used.
func TestFolded(t *testing.T) {
	t.Parallel()
	_, _, err := kerasStep(t, "export", Train)
	if folded := (*FoldedError)(nil); !errors.As(err, &folded) || !strings.HasPrefix(folded.Initializer, "onnx::Mul_") {
		t.Errorf("got %v, want an error that names the initializer", err)
	}
}

// TestJoinBatchNorm has spellings that other writers use, and what only looks like one.
func TestJoinBatchNorm(t *testing.T) {
	t.Parallel()
	weight := func(b *onnx.Builder, name string, shape ...int64) *onnx.Value {
		data := make([]float32, tensor.Size(shape))
		for i := range data {
			data[i] = 0.5 + float32(i)
		}
		v := b.Const(name, tensor.Of(shape, data))
		v.Initializer = true
		return v
	}
	root := func(b *onnx.Builder, shape ...int64) *onnx.Value {
		return b.Sqrt(b.Add(b.Scalar(tensor.Float32, 1e-3), weight(b, "variance", shape...)))
	}
	tests := []struct {
		name  string
		build func(b *onnx.Builder, x *onnx.Value) *onnx.Value // x is (2, 3, 4)
		want  int
	}{
		{"divided, then scaled, channels first", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			y := b.Div(b.Sub(x, weight(b, "mean", 3, 1)), root(b, 3, 1))
			return b.Add(weight(b, "bias", 3, 1), b.Mul(weight(b, "scale", 3, 1), y))
		}, 1},
		{"scale over the root", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			k := b.Div(weight(b, "scale", 4), root(b, 4))
			return b.Add(b.Mul(b.Sub(x, weight(b, "mean", 4)), k), weight(b, "bias", 4))
		}, 1},
		{"without a scale", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Add(b.Div(b.Sub(x, weight(b, "mean", 4)), root(b, 4)), weight(b, "bias", 4))
		}, 1},
		{"a mean of every element", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Add(b.Div(b.Sub(x, weight(b, "mean", 3, 4)), root(b, 3, 4)), weight(b, "bias", 3, 4))
		}, 0},
		{"a mean of the batch", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Add(b.Div(b.Sub(x, b.ReduceMeanKeep(x, 2)), root(b, 4)), weight(b, "bias", 4))
		}, 0},
		{"no shift behind", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Mul(b.Sub(x, weight(b, "mean", 4)), weight(b, "scale", 4))
		}, 0},
		{"a scale of another shape", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Add(b.Mul(b.Sub(x, weight(b, "mean", 4)), weight(b, "scale", 1)), weight(b, "bias", 4))
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			b.Output("y", tt.build(b, b.Input("x", tensor.Float32, onnx.Shape{2, 3, 4})))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			x := tensor.Of([]int64{2, 3, 4}, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, -2, -3, -4, 5, 4, 3, 2, 1, 0, 9, 8})
			want := run(t, orttest.Load(t, g), map[string]*tensor.Tensor{"x": x})
			found, err := JoinBatchNorm(g)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != tt.want {
				t.Errorf("%d are found, want %d", len(found), tt.want)
			}
			if err := onnx.Check(g); err != nil {
				t.Fatal(err)
			}
			equal(t, "y", run(t, orttest.Load(t, g), map[string]*tensor.Tensor{"x": x})["y"], want["y"])
		})
	}
}

// TestFreshEpsilon reads the epsilon of layers that were never trained.
func TestFreshEpsilon(t *testing.T) {
	t.Parallel()
	vector := func(v ...float32) *onnx.Value { return &onnx.Value{Data: tensor.Vector(v...)} }
	tests := []struct {
		name        string
		mean, scale *onnx.Value
		want        float64 // 0: not fresh
	}{
		{"Keras' default", vector(0, 0), vector(0.9995004, 0.9995004), 1e-3},
		{"PyTorch's default", vector(0, 0), vector(0.999995, 0.999995), 1e-5},
		{"a mean that moved", vector(0, 0.1), vector(0.9995004, 0.9995004), 0},
		{"scales that moved", vector(0, 0), vector(0.9995004, 0.9995), 0},
		{"scales of 1", vector(0, 0), vector(1, 1), 0},
		{"no epsilon of one digit", vector(0, 0), vector(0.9, 0.9), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := freshEpsilon(tt.mean, tt.scale)
			if ok != (tt.want > 0) || ok && (got < tt.want*0.999 || got > tt.want*1.001) {
				t.Errorf("epsilon %v, %v, want %v", got, ok, tt.want)
			}
		})
	}
}
