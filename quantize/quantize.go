// Package quantize makes graphs compute with eight-bit integers: static quantisation, with
// the ranges of activations measured on pictures beforehand (Jacob et al.,
// arXiv:1712.05877, section 2).
//
// Static writes ONNX's QDQ form: weights are int8 with a scale for each output channel,
// activations uint8 with one scale and zero point, and ONNX Runtime fuses each layer
// between a DequantizeLinear and a QuantizeLinear to an integer one. Calibrate measures the
// ranges. What has no integer kernel stays in floats, and so do the outputs. The graph is
// simplified before: a BatchNorm of its own would stay in floats.
package quantize

import (
	"fmt"
	"math"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Range is what a value's elements were, by calibration.
type Range struct{ Low, High float32 }

// layers are the operators with weights, joins those without that have integer kernels.
var (
	layers = []string{"Conv", "Gemm"}
	joins  = []string{"Add", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool"}
)

// Static returns a quantised copy of a graph for the ranges of its activations by name.
func Static(g *onnx.Graph, ranges map[string]Range) (*onnx.Graph, error) {
	g = onnx.Clone(g)
	q := &writer{g: g, ranges: ranges, dequantised: map[*onnx.Value]*onnx.Value{}}
	fuseLimits(g)
	wanted := activations(g)
	last := tail(g)
	nodes := g.Nodes
	g.Nodes = nil
	for _, v := range g.Inputs {
		if wanted[v] {
			q.pair(v)
		}
	}
	for _, n := range nodes {
		for i, v := range n.In {
			if d := q.dequantised[v]; d != nil {
				n.In[i] = d
			}
		}
		switch {
		case slices.Contains(layers, n.Op) && integer(n) && (!last[n] || n.Op == "Gemm"):
			q.layer(n)
		case n.Op == "Resize":
			q.allAxes(n)
		}
		g.Nodes = append(g.Nodes, n)
		for _, v := range n.Out {
			if v != nil && wanted[v] {
				q.pair(v)
			}
		}
	}
	if q.err != nil {
		return nil, q.err
	}
	if err := onnx.Infer(g); err != nil {
		return nil, err
	}
	return g, onnx.Check(g)
}

// fuseLimits takes out each Relu, and each Clip from 0 on, behind a layer or a sum that
// nothing else reads: the quantised range of what comes out starts at 0 and ends where the
// Clip did, or before.
func fuseLimits(g *onnx.Graph) {
	users := readers(g)
	var kept []*onnx.Node
	for _, n := range g.Nodes {
		if isLimit(n) {
			x := n.In[0]
			if from := x.Node; from != nil && integer(from) && (from.Op == "Add" || slices.Contains(layers, from.Op)) && users[x] == 1 &&
				!slices.Contains(g.Outputs, x) && !slices.Contains(g.Outputs, n.Out[0]) {
				from.Out, n.Out[0].Node = n.Out, from
				continue
			}
		}
		kept = append(kept, n)
	}
	g.Nodes = kept
}

// isLimit reports whether a node is a Relu, or a Clip whose lower limit is 0.
func isLimit(n *onnx.Node) bool {
	if n.Op == "Relu" {
		return true
	}
	if n.Op != "Clip" || n.Input(1) == nil || !n.In[1].IsConst() {
		return false
	}
	low, ok := tensor.Data[float32](n.In[1].Data)
	return ok && len(low) == 1 && low[0] == 0
}

// readers counts how often each value is read by nodes.
func readers(g *onnx.Graph) map[*onnx.Value]int {
	users := map[*onnx.Value]int{}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			users[v]++
		}
	}
	return users
}

// activations are the values that are quantised: what layers and joins read and compute,
// but for constants, the graph's outputs and what the last layers compute. Those are scores
// and boxes, whose steps would show in the answer; a last Conv stays in floats altogether, a
// last Gemm has an integer kernel that answers in floats.
func activations(g *onnx.Graph) map[*onnx.Value]bool {
	wanted, last := map[*onnx.Value]bool{}, tail(g)
	want := func(v *onnx.Value) {
		if v != nil && !v.IsConst() && v.DType == tensor.Float32 && !slices.Contains(g.Outputs, v) {
			wanted[v] = true
		}
	}
	for _, n := range g.Nodes {
		if !integer(n) || last[n] && n.Op != "Gemm" {
			continue
		}
		for _, v := range n.In {
			want(v)
		}
		if !last[n] {
			want(n.Out[0])
		}
	}
	return wanted
}

// tail finds the last layers and what follows them: the nodes from which no other layer is
// reached.
func tail(g *onnx.Graph) map[*onnx.Node]bool {
	last, leads := map[*onnx.Node]bool{}, map[*onnx.Value]bool{} // to a layer
	for _, n := range slices.Backward(g.Nodes) {
		further := slices.ContainsFunc(n.Out, func(v *onnx.Value) bool { return leads[v] })
		last[n] = !further
		if further || slices.Contains(layers, n.Op) {
			for _, v := range n.In {
				leads[v] = true
			}
		}
	}
	return last
}

// integer reports whether a node has an integer kernel: a layer of constant weights, or a
// join of computed values.
func integer(n *onnx.Node) bool {
	if n.Domain != "" || len(n.Out) == 0 || n.Out[0] == nil || n.Out[0].DType != tensor.Float32 {
		return false
	}
	if slices.Contains(layers, n.Op) {
		return n.Input(1) != nil && n.In[1].IsConst() && (n.Input(2) == nil || n.In[2].IsConst())
	}
	return slices.Contains(joins, n.Op) && !slices.ContainsFunc(n.In, func(v *onnx.Value) bool { return v == nil || v.IsConst() })
}

// Activations lists the values whose ranges Static needs, in the order of the nodes.
func Activations(g *onnx.Graph) []string {
	c := onnx.Clone(g)
	fuseLimits(c)
	wanted := activations(c)
	var names []string
	for _, v := range c.Inputs {
		if wanted[v] {
			names = append(names, v.Name)
		}
	}
	for _, n := range c.Nodes {
		for _, v := range n.Out {
			if wanted[v] {
				names = append(names, v.Name)
			}
		}
	}
	return names
}

// quantum returns the scale and zero point of a range, which is made to hold 0.
func quantum(r Range) (scale float32, zero uint8) {
	low, high := math.Min(float64(r.Low), 0), math.Max(float64(r.High), 0)
	if !(high > low) || math.IsInf(high-low, 0) {
		return 1, 0
	}
	s := (high - low) / 255
	return float32(s), uint8(math.Round(math.Max(0, math.Min(255, -low/s))))
}

// missing says that a value was not calibrated.
func missing(name string) error { return fmt.Errorf("no range of %q: calibrate the graph first", name) }
