package zoo

import (
	"math"
	"testing"

	"trilobite/convert/torch"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// TestStateDict takes the weights out of a simplified graph and fills the network with them
// again: it answers as before.
func TestStateDict(t *testing.T) {
	t.Parallel()
	const name = "mobilenet_v3_small"
	build := func() *nn.Network {
		net, err := nn.Classifiers()[name](nn.ClassifierOptions{Classes: 5, Height: 64, Width: 64})
		if err != nil {
			t.Fatal(err)
		}
		return net
	}
	net := build()
	net.Initialise(1)
	for i, p := range net.Params { // norms that do something
		if d, ok := tensor.Data[float32](p.Data); ok && len(p.Shape) == 1 {
			for j := range d {
				d[j] = float32(0.7 + 0.6*math.Abs(math.Sin(float64(i+3*j))))
			}
		}
	}
	simple := onnx.Clone(net.Graph)
	if err := onnx.Simplify(simple); err != nil {
		t.Fatal(err)
	}
	card := Card{Name: "net", Convert: Convert{Format: "torch", Network: name}}
	weights, err := StateDict(card, simple)
	if err != nil {
		t.Fatal(err)
	}
	sd := &torch.StateDict{Tensors: weights}
	for n := range weights {
		sd.Names = append(sd.Names, n)
	}
	again := build()
	if err := torch.Assign(again.Params, sd); err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 3*64*64)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)))
	}
	var answers [2][]float32
	for i, g := range []*onnx.Graph{net.Graph, again.Graph} {
		out, err := orttest.Load(t, g).Run(t.Context(), []*tensor.Tensor{tensor.Of([]int64{1, 3, 64, 64}, x)})
		if err != nil {
			t.Fatal(err)
		}
		answers[i], _ = tensor.Data[float32](out[0])
	}
	for i := range answers[0] {
		if d := math.Abs(float64(answers[0][i] - answers[1][i])); !(d < 1e-4*math.Max(1, math.Abs(float64(answers[0][i])))) {
			t.Errorf("logit %d is %v, was %v", i, answers[1][i], answers[0][i])
		}
	}
	if _, err := StateDict(Card{Name: "net", Convert: Convert{Format: "onnx"}}, simple); err == nil {
		t.Error("a graph of no known network has names of PyTorch")
	}
}
