package onnx

import (
	"strings"
	"testing"

	"trilobite/tensor"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	value := func(name string, n *Node) *Value {
		return &Value{Name: name, DType: tensor.Float32, Shape: Shape{2}, Node: n}
	}
	// Each case breaks this graph: y = Conv(x, w), z = Relu(y).
	type parts struct {
		g          *Graph
		conv, relu *Node
		w          *Value
	}
	tests := []struct {
		name  string
		spoil func(p parts)
		want  string // "" for a valid graph
	}{
		{"as built", func(parts) {}, ""},
		{"the constants' names need not differ", func(p parts) { p.w.Name = "y" }, ""},
		{"an operator of another domain", func(p parts) { p.relu.Domain, p.relu.Op = "com.example", "Strange" }, ""},
		{"unknown operator", func(p parts) { p.relu.Op = "relu" }, `relu "r": operator set 22 has no such operator`},
		{"out of order", func(p parts) { p.g.Nodes[0], p.g.Nodes[1] = p.relu, p.conv }, `Relu "r": input 0, "y", is not computed before`},
		{"a cycle", func(p parts) { p.conv.In[0] = p.relu.Out[0] }, `Conv "c": input 0, "z", is not computed before`},
		{"a value of another graph", func(p parts) { p.relu.In[0] = value("y", nil) }, `Relu "r": input 0, "y", is not computed before`},
		{"a required input", func(p parts) { p.conv.In[1] = nil }, `Conv "c": input 1, W, is missing`},
		{"too few inputs", func(p parts) { p.conv.In = p.conv.In[:1] }, `Conv "c": 1 inputs, want 2: X, W, B`},
		{"too many inputs", func(p parts) { p.relu.In = append(p.relu.In, p.w) }, `Relu "r": 2 inputs, at most 1 are known: X`},
		{"too many outputs", func(p parts) { p.relu.Out = append(p.relu.Out, value("o", p.relu)) }, `Relu "r": 2 outputs, at most 1`},
		{"an output of another node", func(p parts) { p.relu.Out[0].Node = p.conv }, `Relu "r": output 0, "z", belongs to another node`},
		{"a name twice", func(p parts) { p.relu.Out[0].Name = "y" }, `Relu "r": output 0, "y": the name is taken`},
		{"no name", func(p parts) { p.relu.Out[0].Name = "" }, `Relu "r": output 0, "": no name`},
		{"a value twice", func(p parts) { p.relu.Out[0] = p.conv.Out[0]; p.conv.Out[0].Node = p.relu }, `Conv "c": output 0, "y", belongs to another node`},
		{"unknown attribute", func(p parts) { p.conv.Attrs["stride"] = []int64{1} }, `Conv "c": attribute "stride" is not known`},
		{"attribute of another type", func(p parts) { p.conv.Attrs["strides"] = int64(1) }, `Conv "c": attribute "strides" is int64, want []int64`},
		{"attribute that no file can hold", func(p parts) { p.conv.Attrs["strides"] = []int{1} }, `Conv "c": attribute "strides" is a []int`},
		{"required attribute", func(p parts) { p.relu.Op = "Concat" }, `Concat "r": attribute "axis" is missing`},
		{"element type", func(p parts) { p.relu.Op = "Not" }, `Not "r": input X, "y", cannot be float32`},
		{"element types differ", func(p parts) { p.g.Inputs[0].DType = tensor.Float64 }, `Conv "c": input W, "w", is float32, others of type T are float64`},
		{"a constant that is not what it says", func(p parts) { p.w.Shape = Shape{9} }, `Conv "c": input 1, "w", is a constant float32[4,3,1] that claims to be float32[9]`},
		{"output twice", func(p parts) { p.g.Outputs = append(p.g.Outputs, p.g.Outputs[0]) }, `output "z" is given twice`},
		{"output of nothing", func(p parts) { p.g.Outputs[0] = value("q", nil) }, `output "q" is not computed`},
		{"no output", func(p parts) { p.g.Outputs = nil }, `graph "g" has no output`},
		{"an input that is computed", func(p parts) { p.g.Inputs[0] = p.relu.Out[0] }, `input "z" is a constant or computed`},
		{"an input without type", func(p parts) { p.g.Inputs[0].DType = tensor.Invalid }, `input "x" has no element type`},
		{"nil", func(p parts) { p.g.Nodes[1] = nil }, "a node is nil"},
		{"a body that is wrong", func(p parts) {
			body := &Graph{Name: "then", Nodes: []*Node{{Name: "inner", Op: "Relu", In: []*Value{value("q", nil)}}}}
			p.relu.Domain, p.relu.Attrs = "com.example", map[string]any{"body": body}
		}, `Relu "r": body "then": Relu "inner": input 0, "q", is not computed`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := &Value{Name: "x", DType: tensor.Float32, Shape: Shape{1, 3, 8}}
			w := constant("w", tensor.Of([]int64{4, 3, 1}, make([]float32, 12)))
			conv := &Node{Name: "c", Op: "Conv", In: []*Value{x, w}, Attrs: map[string]any{}}
			conv.Out = []*Value{value("y", conv)}
			relu := &Node{Name: "r", Op: "Relu", In: []*Value{conv.Out[0]}, Attrs: map[string]any{}}
			relu.Out = []*Value{value("z", relu)}
			g := &Graph{Name: "g", Inputs: []*Value{x}, Nodes: []*Node{conv, relu}, Outputs: []*Value{relu.Out[0]}}
			tt.spoil(parts{g, conv, relu, w})
			err := Check(g)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
