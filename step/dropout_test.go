package step

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// TestDraw: as many elements are dropped as Ratio says, those kept keep the mean, and
// seed, step and name alone make the mask.
func TestDraw(t *testing.T) {
	t.Parallel()
	m := Mask{Name: "drop.mask", Ratio: 0.2, DType: tensor.Float32}
	shape := []int64{40, 250}
	mask := m.Draw(shape, 7, 3)
	dropped := 0
	for i, v := range orttest.Numbers(mask) {
		switch float32(v) {
		case 0:
			dropped++
		case 1 / (1 - float32(0.2)):
		default:
			t.Fatalf("element %d is %v, want 0 or 1.25", i, v)
		}
	}
	// a binomial of 10000 and 0.2 has a standard deviation of 40
	if math.Abs(float64(dropped)-2000) > 160 {
		t.Errorf("%d of 10000 are dropped, want about 2000", dropped)
	}
	if !cmp.Equal(mask.Raw(), m.Draw(shape, 7, 3).Raw()) {
		t.Error("the same seed and step draw another mask")
	}
	other := m
	other.Name = "drop2.mask"
	for name, v := range map[string]*tensor.Tensor{"seed": m.Draw(shape, 8, 3), "step": m.Draw(shape, 7, 4), "name": other.Draw(shape, 7, 3)} {
		if cmp.Equal(mask.Raw(), v.Raw()) {
			t.Errorf("another %s draws the same mask", name)
		}
	}
	m.DType = tensor.Float64
	wide := m.Draw(shape, 7, 3)
	if wide.DType != tensor.Float64 || !cmp.Equal(orttest.OfType(tensor.Float32, wide.Shape, orttest.Numbers(wide)).Raw(), mask.Raw()) {
		t.Error("the mask of float64 is another than that of float32")
	}
}

// TestDropout: the derivative passes where the mask does, by its factor.
func TestDropout(t *testing.T) {
	t.Parallel()
	g, spec := dropout(0.5, true, nil)
	s, err := Build(g, spec)
	if err != nil {
		t.Fatal(err)
	}
	want := []Mask{{Name: "drop.mask", Ratio: 0.5, DType: tensor.Float32, Shape: onnx.Shape{2, 3}}}
	if d := cmp.Diff(want, s.Masks); d != "" {
		t.Fatalf("masks (-want +got)\n%s", d)
	}
	out := run(t, orttest.Load(t, s.Graph), map[string]*tensor.Tensor{
		"x":         tensor.Of([]int64{2, 3}, []float32{1, 2, 3, 4, 5, 6}),
		"w":         tensor.Vector[float32](1, 10, 100),
		"drop.mask": tensor.Of([]int64{2, 3}, []float32{2, 0, 2, 0, 0, 2}),
	})
	if got := orttest.Numbers(out["loss"]); got[0] != 2+600+1200 {
		t.Errorf("loss %v, want 1802", got)
	}
	if d := cmp.Diff([]float64{2, 0, 18}, orttest.Numbers(out["w.grad"])); d != "" {
		t.Errorf("w.grad (-want +got)\n%s", d)
	}
}

func TestDropoutModes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		ratio    float32
		training bool
		change   func(b *onnx.Builder, y, mask *onnx.Value) *onnx.Value
		want     string // the error
	}{
		{name: "one that does not train draws nothing", ratio: 0.5},
		{name: "ratio 0 draws nothing", ratio: 0, training: true},
		{name: "ratio 1 leaves nothing", ratio: 1, training: true, want: "its ratio 1 is not"},
		{name: "a mask that is read", ratio: 0.5, training: true, want: "is used", change: func(b *onnx.Builder, y, mask *onnx.Value) *onnx.Value {
			return b.Mul(y, b.Cast(mask, tensor.Float32))
		}},
		{name: "a hidden generator", ratio: 0, want: "draws random numbers", change: func(b *onnx.Builder, y, _ *onnx.Value) *onnx.Value {
			return b.Add(y, b.Op("RandomNormalLike", []*onnx.Value{y}, nil, 1)[0])
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, spec := dropout(tt.ratio, tt.training, tt.change)
			s, err := Build(g, spec)
			switch {
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one with %q", err, tt.want)
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "" && len(s.Masks) != 0:
				t.Errorf("masks %v, want none", s.Masks)
			}
		})
	}
}

// dropout is Σ dropout(x·w) for x (2, 3) and w (3).
func dropout(ratio float32, training bool, change func(b *onnx.Builder, y, mask *onnx.Value) *onnx.Value) (*onnx.Graph, Spec) {
	b := onnx.NewBuilder("net")
	x, w := b.Input("x", tensor.Float32, onnx.Shape{2, 3}), b.Const("w", tensor.Vector[float32](1, 10, 100))
	y, mask := b.Dropout(b.Mul(x, w), ratio, b.Const("", tensor.Scalar(training)))
	y.Node.Name = "drop"
	if change != nil {
		y = change(b, y, mask)
	}
	value := b.Output("loss", b.ReduceSum(y, 0, 1))
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g, Spec{Loss: value, Params: []*onnx.Value{w}}
}
