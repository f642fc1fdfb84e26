package step

import (
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/tensor"
)

// TestBuildOfEveryLoss builds a step of each loss that Target knows: what ends in a node
// that does nothing, as smooth-l1 of beta 1 does, has its loss all the same.
func TestBuildOfEveryLoss(t *testing.T) {
	t.Parallel()
	for _, name := range Losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			w := b.Const("w", tensor.Of([]int64{3, 2}, make([]float32, 6)))
			y := b.Output("y", b.MatMul(b.Input("x", tensor.Float32, onnx.Shape{4, 3}), w))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			loss, _, err := Target(g, y, TargetSpec{Loss: name})
			if err != nil {
				t.Fatal(err)
			}
			s, err := Build(g, Spec{Loss: loss, Params: []*onnx.Value{w}})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Graph.Outputs[0].Name; got != "loss" {
				t.Errorf("the first output is %q", got)
			}
		})
	}
}

// TestTakenNames: a model may compute under the step's own names, in nodes that are called
// as their outputs.
func TestTakenNames(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("g")
	w := b.Const("w", tensor.Of([]int64{3, 2}, make([]float32, 6)))
	hidden := b.MatMul(b.Input("x", tensor.Float32, onnx.Shape{4, 3}), w)
	y := b.Output("lr", b.Relu(b.Name(hidden, "loss")))
	hidden.Node.Name, y.Node.Name = "loss", "target"
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := Target(g, y, TargetSpec{Loss: "mse"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Build(g, Spec{Loss: value, Params: []*onnx.Value{w}, Rule: optim.SGD{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{s.Graph.Inputs[1].Name, s.Graph.Outputs[0].Name}; got[0] != "target" || got[1] != "loss" {
		t.Errorf("target and loss are called %q", got)
	}
}

// TestTargetOfUnknownRank: the error says which node is to blame.
func TestTargetOfUnknownRank(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("g")
	x := b.Input("x", tensor.Float32, onnx.Shape{4, 3})
	lost := b.ReshapeTo(x, b.Input("sizes", tensor.Int64, onnx.Shape{b.Dim("k")}))
	lost.Node.Name = "fold"
	y := b.Output("y", b.Relu(lost))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Losses {
		if _, _, err := Target(g, y, TargetSpec{Loss: name}); err == nil || !strings.Contains(err.Error(), `Reshape "fold"`) {
			t.Errorf("%s: got %v, want the Reshape to be named", name, err)
		}
	}
}
