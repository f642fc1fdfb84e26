package onnx_test

import (
	"bytes"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

func TestClone(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("g")
	x := b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 2})
	w := b.Const("w", tensor.Of([]int64{2, 2}, []float32{1, 2, 3, 4}))
	b.Output("y", b.Relu(b.MatMul(x, w)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	before, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	c := onnx.Clone(g)
	if got, err := onnx.Marshal(c); err != nil || !bytes.Equal(got, before) {
		t.Errorf("the copy is another graph: %v", err)
	}
	if c.Nodes[1].In[0].Node != c.Nodes[0] || c.Nodes[0].In[0] != c.Inputs[0] {
		t.Error("the copy's values are not its own")
	}
	if err := onnx.Bind(c, map[string]int64{"N": 3}); err != nil {
		t.Fatal(err)
	}
	c.Nodes[0].In[1].Name = "v"
	if after, err := onnx.Marshal(g); err != nil || !bytes.Equal(after, before) {
		t.Errorf("changing the copy changed the graph: %v", err)
	}
}
