package step

import (
	"math/rand/v2"
	"slices"
	"testing"

	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// A network exported by PyTorch learns eight pictures by heart; stopped after half of
// the steps and taken up from its state, it ends at the same numbers, bit for bit.
func TestOverfitAndResume(t *testing.T) {
	t.Parallel()
	g, err := onnx.Load("testdata/small.onnx")
	if err != nil {
		t.Fatal(err)
	}
	params := Trainable(g, g.Outputs[0])
	if len(params) != 8 { // two convolutions, two scales and biases, fc's two
		t.Fatalf("%d parameters are trainable, want 8", len(params))
	}
	value, _, err := Target(g, g.Outputs[0], TargetSpec{Loss: "cross-entropy"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Build(g, Spec{Loss: value, Params: params, Rule: optim.NewAdamW(), NoDecay: NoDecay(params), ClipNorm: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := orttest.Load(t, s.Graph)
	state := map[string]*tensor.Tensor{}
	for _, slot := range s.Slots {
		state[slot.In] = slot.Init
	}
	losses, want := overfit(t, m, s, state, 1, 40)
	if first, last := losses[0], losses[len(losses)-1]; !(first > 0.5 && last < 0.05) {
		t.Errorf("the loss goes from %v to %v, want less than 0.05", first, last)
	}
	_, half := overfit(t, m, s, state, 1, 20)
	_, got := overfit(t, m, s, half, 21, 40)
	for name, v := range want {
		if !slices.Equal(orttest.Numbers(got[name]), orttest.Numbers(v)) {
			t.Errorf("%s differs after a break", name)
		}
	}
}

// overfit runs steps from one to another on the same eight pictures and returns their
// losses and the state after.
func overfit(t *testing.T, m *ort.Model, s *Step, state map[string]*tensor.Tensor, from, to int64) ([]float64, map[string]*tensor.Tensor) {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 8))
	x := make([]float32, 8*3*32*32)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	var losses []float64
	for k := from; k <= to; k++ {
		out := run(t, m, map[string]*tensor.Tensor{
			"input": tensor.Of([]int64{8, 3, 32, 32}, x), "target": tensor.Vector[int64](0, 1, 2, 3, 0, 1, 2, 3),
			"lr": tensor.Scalar[float32](1e-2), "step": tensor.Scalar(k),
		}, state)
		losses = append(losses, orttest.Numbers(out[s.Loss])[0])
		next := map[string]*tensor.Tensor{}
		for _, slot := range s.Slots {
			next[slot.In] = out[slot.Out]
		}
		state = next
	}
	return losses, state
}
