package onnx

import (
	"slices"

	"trilobite/tensor"
)

// Cost is what a node, or a graph, takes to run.
type Cost struct {
	Params      int64 // elements of the float constants read, each counted once in a graph
	MACs        int64 // multiplications with an addition
	Activations int64 // bytes of the outputs
}

// NodeCost is the cost of one node. Params are those that no node before it reads.
type NodeCost struct {
	Node *Node
	Cost
}

// Count returns the cost of each node of g, in order, and the sum. Symbolic dimensions
// count as 1, which is what they are in an image alone; values of unknown shape count as
// nothing. MACs are those of convolutions and matrix products; what else a network does
// per element is not counted, as is usual for networks. Activations bound the memory from
// above: ONNX Runtime reuses what is no longer needed, training keeps most.
func Count(g *Graph) (nodes []NodeCost, total Cost) {
	seen := map[*Value]bool{}
	for _, n := range g.Nodes {
		c := NodeCost{Node: n, Cost: Cost{MACs: macs(n)}}
		for _, v := range n.In {
			if v != nil && v.IsConst() && v.DType.IsFloat() && !seen[v] {
				seen[v] = true
				c.Params += v.Data.Len()
			}
		}
		for _, v := range n.Out {
			if v != nil && v.Shape != nil {
				c.Activations += volume(v.Shape) * int64(v.DType.Size())
			}
		}
		nodes = append(nodes, c)
		total.Params += c.Params
		total.MACs += c.MACs
		total.Activations += c.Activations
	}
	return nodes, total
}

// macs counts the products of a node.
//
//	Conv           every output element: C/group·k1·k2…
//	ConvTranspose  every input element: M/group·k1·k2…
//	MatMul, Gemm   every output element: the size of the axis that is summed
func macs(n *Node) int64 {
	if n.Domain != "" || len(n.In) < 2 || n.In[0] == nil || n.In[1] == nil || len(n.Out) == 0 || n.Out[0] == nil {
		return 0
	}
	x, w, y := n.In[0].Shape, n.In[1].Shape, n.Out[0].Shape
	if len(x) == 0 || len(w) == 0 || y == nil {
		return 0
	}
	switch n.Op {
	case "Conv":
		return volume(y) * volume(w[1:])
	case "ConvTranspose":
		return volume(x) * volume(w[1:])
	case "MatMul":
		return volume(y) * volume(x[len(x)-1:])
	case "Gemm":
		axis := 1 - n.Int("transA", 0)
		if axis < 0 || axis >= int64(len(x)) {
			return 0
		}
		return volume(y) * volume(x[axis:axis+1])
	default:
		return 0
	}
}

// volume counts what a shape holds, with 1 for dimensions that are not known.
func volume(s Shape) int64 {
	known := slices.Clone(s)
	for i, d := range known {
		if d < 0 {
			known[i] = 1
		}
	}
	return tensor.Size(known)
}
