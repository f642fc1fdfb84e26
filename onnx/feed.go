package onnx

// Feed puts nodes in front of a graph with one input: build adds the input that takes its
// place, under its name or another, and returns it with the value that the graph then reads
// instead, a node's first output.
func Feed(g *Graph, build func(b *Builder, name string, old *Value) (in, fed *Value)) error {
	old, n := g.Inputs[0], len(g.Nodes)
	name := old.Name
	old.Name += "_fed"
	b := Extend(g)
	in, fed := build(b, name, old)
	if b.err != nil {
		return b.err
	}
	fed.Node.Out[0], old.Node = old, fed.Node // whoever reads the old one, in nested graphs too, reads on
	g.Nodes = append(g.Nodes[n:len(g.Nodes):len(g.Nodes)], g.Nodes[:n]...)
	g.Inputs = []*Value{in}
	return nil
}
