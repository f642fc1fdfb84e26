package step

import (
	"testing"

	"trilobite/onnx"
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
