package train

import (
	"errors"
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// halves are a network cut in two: what no trainable parameter changes, and the rest.
type halves struct {
	prefix *onnx.Graph // of the network's inputs; nil where there is nothing to compute ahead
	suffix *onnx.Graph // of the feeds; its outputs are the network's
	feeds  []feed      // the suffix's inputs, in order
}

// feed says where an input of the suffix comes from.
type feed struct {
	name   string
	prefix int // output of the prefix, or −1
	input  int // input of the network, where prefix is −1
}

// split cuts g, which stays as it is, before the nodes that depend on a constant that
// trainable names. The cut are values that go with the batch, that is, whose first
// dimension is the one of the inputs: others, such as a shape that the graph computes,
// are computed on both sides of it. Dropout, which is another one in each step, is never
// computed ahead.
func split(g *onnx.Graph, trainable map[string]bool) (*halves, error) {
	if len(g.Inputs) == 0 || len(g.Inputs[0].Shape) == 0 {
		return nil, errors.New("the network has no input with a batch")
	}
	whole := onnx.Clone(g)
	c := &cutter{batch: whole.Inputs[0].Shape[0], depends: map[*onnx.Value]bool{}, kept: map[*onnx.Node]bool{}}
	for _, n := range whole.Nodes {
		c.mark(n, trainable)
	}
	for _, n := range slices.Backward(whole.Nodes) {
		if c.kept[n] {
			for _, v := range reads(n) {
				c.need(v)
			}
		}
	}
	for _, v := range whole.Outputs {
		if !c.depends[v] {
			c.need(v)
		}
	}
	return c.halves(g, whole)
}

// Cut cuts a network as Run does: frozen is what no parameter that trainable tells changes,
// for inference, and rest reads frozen's outputs, in their order.
func Cut(g *onnx.Graph, trainable func(name string) bool) (frozen, rest *onnx.Graph, err error) {
	names := map[string]bool{}
	for _, v := range parameters(g, nil) {
		names[v.Name] = trainable(v.Name)
	}
	h, err := split(g, names)
	if err != nil {
		return nil, nil, err
	}
	if h.prefix == nil || slices.ContainsFunc(h.feeds, func(f feed) bool { return f.prefix < 0 }) {
		return nil, nil, fmt.Errorf("what is trained of %s reads the network's input itself", g.Name)
	}
	return h.prefix, h.suffix, nil
}

type cutter struct {
	batch   int64
	depends map[*onnx.Value]bool // on a trainable constant
	kept    map[*onnx.Node]bool  // nodes of the suffix
	cut     []*onnx.Value        // of the suffix's inputs
}

// mark notes what n's outputs depend on. Nodes come in topological order.
func (c *cutter) mark(n *onnx.Node, trainable map[string]bool) {
	depends := slices.ContainsFunc(reads(n), func(v *onnx.Value) bool {
		return c.depends[v] || v.IsConst() && trainable[v.Name]
	})
	if !depends && n.Op != "Dropout" {
		return
	}
	c.kept[n] = true
	for _, v := range n.Out {
		c.depends[v] = true
	}
}

// need makes v, which the suffix reads, an input of it or computes it there too.
func (c *cutter) need(v *onnx.Value) {
	switch {
	case v.IsConst() || c.depends[v] || slices.Contains(c.cut, v):
	case v.Node == nil || len(v.Shape) > 0 && v.Shape[0] == c.batch:
		c.cut = append(c.cut, v)
	case !c.kept[v.Node]:
		c.kept[v.Node] = true
		for _, w := range reads(v.Node) {
			c.need(w)
		}
	}
}

func (c *cutter) halves(g, whole *onnx.Graph) (*halves, error) {
	h := &halves{suffix: whole}
	ahead := onnx.Clone(g) // the prefix is of other values
	twin := map[string]*onnx.Value{}
	for _, n := range ahead.Nodes {
		for _, v := range n.Out {
			if v != nil {
				twin[v.Name] = v
			}
		}
	}
	ahead.Outputs = nil
	whole.Nodes = slices.DeleteFunc(whole.Nodes, func(n *onnx.Node) bool { return !c.kept[n] })
	inputs := whole.Inputs
	whole.Inputs = nil
	for _, v := range c.cut {
		f := feed{name: v.Name, prefix: -1, input: slices.Index(inputs, v)}
		if v.Node != nil {
			f.prefix = len(ahead.Outputs)
			ahead.Outputs = append(ahead.Outputs, twin[v.Name])
			v.Node = nil
		}
		whole.Inputs = append(whole.Inputs, v)
		h.feeds = append(h.feeds, f)
	}
	if len(ahead.Outputs) > 0 {
		h.prefix = ahead
		forInference(ahead)
		if err := onnx.Simplify(ahead); err != nil { // also drops what the cut does not need
			return nil, fmt.Errorf("the frozen part: %w", err)
		}
	}
	return h, nil
}

// forInference takes the nodes of g that behave otherwise in training out of it.
func forInference(g *onnx.Graph) {
	for _, n := range g.Nodes {
		switch n.Op {
		case "Dropout":
			n.In = n.In[:1]
		case "BatchNormalization":
			delete(n.Attrs, "training_mode")
			n.Out = n.Out[:1]
		}
	}
}

// reads lists the values that n and the graphs nested in it read.
func reads(n *onnx.Node) []*onnx.Value {
	read := slices.DeleteFunc(slices.Clone(n.In), func(v *onnx.Value) bool { return v == nil })
	for _, a := range n.Attrs {
		if body, ok := a.(*onnx.Graph); ok {
			read = append(read, body.Outputs...)
			for _, m := range body.Nodes {
				read = append(read, reads(m)...)
			}
		}
	}
	return read
}

// parameters returns the constants of g that can be trained, in the order of their use:
// those called as names says, or without names every one of a float type and some
// dimension. Running statistics of a BatchNormalization are measured, not trained.
func parameters(g *onnx.Graph, names []string) []*onnx.Value {
	statistics, named := map[*onnx.Value]bool{}, set(names)
	for _, n := range g.Nodes {
		if n.Op == "BatchNormalization" {
			statistics[n.Input(3)], statistics[n.Input(4)] = true, true
		}
	}
	return slices.DeleteFunc(constants(g), func(v *onnx.Value) bool {
		float := v.DType == tensor.Float32 || v.DType == tensor.Float64
		chosen := names == nil && len(v.Shape) > 0 || named[v.Name]
		return statistics[v] || !float || !chosen
	})
}

// constants returns the constants of g, each once, in the order of their use.
func constants(g *onnx.Graph) []*onnx.Value {
	seen := map[*onnx.Value]bool{}
	var all []*onnx.Value
	for _, n := range g.Nodes {
		for _, v := range reads(n) {
			if v.IsConst() && !seen[v] {
				seen[v] = true
				all = append(all, v)
			}
		}
	}
	return all
}
