package loss

import (
	"math"
	"slices"
	"testing"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// Dice and its derivative against PyTorch's in float64.
func TestDice(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/dice.npz")
	if err != nil {
		t.Fatal(err)
	}
	ignore := new(int64(255))
	for name, a := range map[string]DiceAttrs{
		"plain": {}, "ignored": {IgnoreIndex: ignore}, "absent": {Smooth: 1}, "binary": {IgnoreIndex: ignore, Smooth: 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, target := golden[name+".x"], golden[name+".target"]
			b := onnx.NewBuilder("dice")
			in := b.Input("x", x.DType, batched(b, x.Shape))
			l := b.Output("loss", Dice(b, in, b.Input("target", target.DType, batched(b, target.Shape)), a))
			out := withGradient(t, b, l, in, x, target)
			if got, want := scalar(t, out[0]), scalar(t, golden[name+".loss"]); !(math.Abs(got-want) <= 1e-6) {
				t.Errorf("got %v, want %v", got, want)
			}
			near(t, "the derivative", out[1], golden[name+".grad"], 1e-6)
		})
	}
}

// Without pixels that count there is nothing to learn and nothing that is not a number.
func TestDiceAllIgnored(t *testing.T) {
	t.Parallel()
	got, err := run(t, func(b *onnx.Builder, x, target *onnx.Value) *onnx.Value {
		return Dice(b, x, target, DiceAttrs{Smooth: 1})
	}, tensor.Of([]int64{2, 2}, []float32{9, -9, 3, 3}), tensor.Vector[int64](-100, -100))
	if err != nil || got != 0 {
		t.Errorf("got %v and error %v, want 0", got, err)
	}
}

// CIoU, 1 − IoU and their derivatives against torchvision's and PyTorch's in float64.
func TestCIoU(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/ciou.npz")
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]lossFunc{"ciou": CIoU, "iou": IoULoss} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder(name)
			x, target := b.Input("x", tensor.Float32, onnx.Shape{16, 4}), b.Input("target", tensor.Float32, onnx.Shape{16, 4})
			each := b.Output("each", f(b, x, target))
			weight := make([]float32, 16)
			for i := range weight {
				weight[i] = float32(i + 1)
			}
			out := withGradient(t, b, b.ReduceSum(b.Mul(each, b.Const("", tensor.Vector(weight...)))), x, golden["x"], golden["target"])
			near(t, "the loss", out[0], golden[name], 2e-6)
			near(t, "the derivative", out[1], golden[name+"_grad"], 2e-5)
		})
	}
}

// withGradient runs what b built and the derivative of l by x.
func withGradient(t *testing.T, b *onnx.Builder, l, x *onnx.Value, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	dX, err := grad.Gradient(g, l, []*onnx.Value{x})
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = append(g.Outputs, dX...)
	out, err := orttest.Load(t, g).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// near compares float32 tensors to a tolerance relative to the larger of 1 and the number.
func near(t *testing.T, what string, got, want *tensor.Tensor, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("%s is %v, want %v", what, got.Shape, want.Shape)
	}
	g, _ := tensor.Data[float32](got)
	w, _ := tensor.Data[float32](want)
	for i := range w {
		if d := math.Abs(float64(g[i] - w[i])); !(d <= tolerance*max(1, math.Abs(float64(w[i])))) {
			t.Errorf("%s at %d: got %v, want %v", what, i, g[i], w[i])
		}
	}
}
