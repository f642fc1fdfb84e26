package main

import (
	"encoding/json"
	"log"
	"os"
	"strings"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/tensor"
)

func main() {
	name, path := os.Args[1], os.Args[2]
	n, err := build(name)
	if err != nil {
		log.Fatal(err)
	}
	var params []*onnx.Value
	for _, p := range n.params {
		if !strings.Contains(p.Name, "running_") {
			params = append(params, p)
		}
	}
	g := n.graph
	var slots [][2]string
	for _, node := range g.Nodes {
		if node.Op != "BatchNormalization" {
			continue
		}
		node.Attrs["training_mode"] = int64(1)
		for i, s := range []string{".rm", ".rv"} {
			v := &onnx.Value{Name: node.Name + s, Node: node}
			node.Out = append(node.Out, v)
			v.Name = node.In[3+i].Name + ".new"
			v.DType, v.Shape = 1, node.In[3+i].Shape
			g.Outputs = append(g.Outputs, v)
		}
	}
	grads, err := grad.Gradient(g, n.loss, params)
	if err != nil {
		log.Fatal(err)
	}
	if os.Getenv("NOPASS") == "" {
		optimise(g)
	}
	b := onnx.Extend(g)
	f := tensor.Float32
	lr := b.Input("lr", f, onnx.Shape{})
	step := b.Cast(b.Input("step", tensor.Int64, onnx.Shape{}), f)
	b1, b2 := 0.9, 0.999
	s := func(x float64) *onnx.Value { return b.Scalar(f, x) }
	alpha := b.Div(lr, b.Sub(s(1), b.Pow(s(b1), step)))
	root := b.Sqrt(b.Sub(s(1), b.Pow(s(b2), step)))
	keep := b.Sub(s(1), b.Mul(lr, s(0.01)))
	for i, p := range params {
		d := grads[i]
		mIn, vIn := b.Input(p.Name+".m", f, p.Shape), b.Input(p.Name+".v", f, p.Shape)
		m := b.Add(b.Mul(mIn, s(b1)), b.Mul(d, s(1-b1)))
		v := b.Add(b.Mul(vIn, s(b2)), b.Mul(b.Mul(d, d), s(1-b2)))
		up := b.Div(m, b.Add(b.Div(b.Sqrt(v), root), s(1e-8)))
		w := b.Sub(b.Mul(p, keep), b.Mul(up, alpha))
		b.Output(p.Name+".new", w)
		b.Output(p.Name+".m.new", m)
		b.Output(p.Name+".v.new", v)
		slots = append(slots, [2]string{p.Name + ".m", p.Name + ".m.new"}, [2]string{p.Name + ".v", p.Name + ".v.new"})
	}
	for _, p := range n.params {
		p.Data = nil
		g.Inputs = append(g.Inputs, p)
		slots = append(slots, [2]string{p.Name, p.Name + ".new"})
	}
	if _, err := b.Graph(); err != nil {
		log.Fatal(err)
	}
	if err := onnx.Save(path, g); err != nil {
		log.Fatal(err)
	}
	data, _ := json.Marshal(slots)
	os.WriteFile(path+".json", data, 0o644)
	log.Print(name, ": ", len(g.Nodes), " nodes")
}
func optimise(g *onnx.Graph) {}
