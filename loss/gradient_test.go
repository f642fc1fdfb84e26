package loss

import (
	"math"
	"testing"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// The derivative by x of the losses of two tensors, also at 0, far out and at ties.
func TestGradient(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/losses.npz")
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]lossFunc{
		"bce": BCEWithLogits, "bce_hard": BCEWithLogits, "bce_far": BCEWithLogits, "mse": MSE,
		"smooth_l1": smoothL1(1), "smooth_l1_beta": smoothL1(0.11), "smooth_l1_ties": smoothL1(1),
		"focal": focal(FocalAttrs{Gamma: 2, Alpha: 0.25}), "focal_soft": focal(FocalAttrs{Gamma: 1.5}),
		"focal_far": focal(FocalAttrs{Gamma: 2, Alpha: 0.75}), "focal_flat": focal(FocalAttrs{Alpha: 0.25}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, target := golden[name+".x"], golden[name+".target"]
			b := onnx.NewBuilder("loss")
			in := b.Input("x", x.DType, batched(b, x.Shape))
			y := b.Output("loss", f(b, in, b.Input("target", target.DType, batched(b, target.Shape))))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			dX, err := grad.Gradient(g, y, []*onnx.Value{in})
			if err != nil {
				t.Fatal(err)
			}
			g.Outputs = append(g.Outputs, dX...)
			out, err := orttest.Load(t, g).Run(t.Context(), []*tensor.Tensor{x, target})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := tensor.Data[float32](out[1])
			want, _ := tensor.Data[float32](golden[name+".grad"])
			if len(got) != len(want) {
				t.Fatalf("the derivative is %v, x is %v", out[1].Shape, x.Shape)
			}
			for i := range want {
				if !(math.Abs(float64(got[i]-want[i])) <= 1e-6) {
					t.Errorf("at %d: got %v, want %v", i, got[i], want[i])
				}
			}
		})
	}
}
