package modelfile

import (
	"fmt"
	"slices"
	"strings"

	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/tensor"
)

// Description is what a network comes to, for one image.
type Description struct {
	Network     string  `json:"network"`
	Input       []int64 `json:"input"`  // shape, the batch −1
	Output      []int64 `json:"output"` // of the first output
	Parameters  int64   `json:"parameters"`
	MACs        int64   `json:"macs"`         // multiply-adds of convolutions and matrix products
	Weights     int64   `json:"weight_bytes"` // float32
	Activations int64   `json:"activation_bytes"`
	Blocks      []Block `json:"blocks"`
}

// Block is a group of nodes: a block of the backbone, a branch of the head.
type Block struct {
	Name       string  `json:"name"`
	Ops        string  `json:"ops"`    // its operators, most frequent first
	Output     []int64 `json:"output"` // shape of what it hands on, the batch −1
	Parameters int64   `json:"parameters"`
	MACs       int64   `json:"macs"`

	Activations int64 `json:"activation_bytes"` // outputs of its nodes

	From []int `json:"from"` // the blocks that it reads, by index; −1: the image
}

// Describe counts a network block by block. Activations are the outputs of all nodes, as
// training keeps them; inference needs less.
func Describe(n *nn.Network) Description {
	g := n.Graph
	d := Description{Network: g.Name, Input: shape(g.Inputs[0]), Output: shape(g.Outputs[0])}
	at, counted := map[*onnx.Node]int{}, map[*onnx.Value]bool{}
	index, params := map[string]int{}, map[*onnx.Value]bool{}
	for _, p := range n.Params {
		params[p] = true
	}
	ops, handed := []map[string]int{}, map[*onnx.Value]bool{} // handed: what another block reads
	current, joins := "input", 0
	for _, node := range g.Nodes {
		if name := blockName(node, params); name != "" {
			current = name
		} else if node.Op == "Concat" && len(node.In) > 1 {
			joins++
			current = fmt.Sprintf("concat %d", joins)
		}
		i, ok := index[current]
		if !ok {
			i = len(d.Blocks)
			index[current] = i
			d.Blocks = append(d.Blocks, Block{Name: current, From: []int{}})
			ops = append(ops, map[string]int{})
		}
		at[node] = i
		b := &d.Blocks[i]
		ops[i][node.Op]++
		b.MACs += macs(node)
		for _, v := range node.In {
			switch {
			case v == nil:
			case v.IsConst():
				if params[v] && !counted[v] {
					counted[v] = true
					b.Parameters += v.Data.Len()
				}
			case v.DType == tensor.Int64: // a shape, no features
			case v.Node == nil:
				b.From = appendNew(b.From, -1)
			case at[v.Node] != i:
				b.From = appendNew(b.From, at[v.Node])
				handed[v] = true
			}
		}
		for _, v := range node.Out {
			if v != nil {
				b.Activations += 4 * elements(v)
				b.Output = shape(v)
			}
		}
	}
	for _, node := range slices.Backward(g.Nodes) { // the first of each block that is handed on
		for _, v := range node.Out {
			if handed[v] {
				d.Blocks[at[node]].Output = shape(v)
			}
		}
	}
	for i := range d.Blocks {
		d.Blocks[i].Ops = summary(ops[i])
		d.Parameters += d.Blocks[i].Parameters
		d.MACs += d.Blocks[i].MACs
		d.Activations += d.Blocks[i].Activations
	}
	d.Weights = 4 * d.Parameters
	return d
}

// blockName is the part of the first parameter's name up to a number before the layer's
// own name, or without that name: "backbone._blocks.3", "head.aspp.1", "head.project".
// BatchNorms and nodes without parameters belong to the block before them, but for a
// Concat, where one begins.
func blockName(n *onnx.Node, params map[*onnx.Value]bool) string {
	if n.Op == "BatchNormalization" {
		return ""
	}
	for _, v := range n.In {
		if !params[v] || !strings.Contains(v.Name, ".") {
			continue
		}
		parts := strings.Split(v.Name, ".")
		parts = parts[:len(parts)-1]
		for i, p := range parts {
			if i > 0 && strings.Trim(p, "0123456789") == "" {
				if i == len(parts)-1 {
					i--
				}
				return strings.Join(parts[:i+1], ".")
			}
		}
		return strings.Join(parts, ".")
	}
	return ""
}

// macs counts the multiply-adds of a node for one image: of Conv, out elements times the
// elements of a kernel; of Gemm and MatMul, out elements times the length of the sums.
func macs(n *onnx.Node) int64 {
	out := int64(0)
	if len(n.Out) > 0 && n.Out[0] != nil {
		out = elements(n.Out[0])
	}
	w := n.Input(1)
	switch {
	case w == nil:
		return 0
	case n.Op == "Conv" && len(w.Shape) > 1:
		return out * product(w.Shape[1:])
	case n.Op == "ConvTranspose" && len(w.Shape) > 1 && n.Input(0) != nil:
		return elements(n.Input(0)) * product(w.Shape[1:])
	case (n.Op == "Gemm" || n.Op == "MatMul") && n.Input(0) != nil && len(n.Input(0).Shape) > 0:
		return out * max(0, n.Input(0).Shape[len(n.Input(0).Shape)-1])
	default:
		return 0
	}
}

// elements counts a value's elements for one image: dimensions that are open count 1.
func elements(v *onnx.Value) int64 { return product(v.Shape) }

func product(s onnx.Shape) int64 {
	n := int64(1)
	for _, d := range s {
		if d >= 0 {
			n *= d
		}
	}
	return n
}

// shape returns a value's shape, symbols as −1.
func shape(v *onnx.Value) []int64 {
	s := slices.Clone(v.Shape)
	for i, d := range s {
		s[i] = max(d, -1)
	}
	return s
}

func appendNew(list []int, i int) []int {
	if slices.Contains(list, i) {
		return list
	}
	return append(list, i)
}

// summary lists operators, most frequent first, at most three.
func summary(count map[string]int) string {
	var names []string
	for op := range count {
		names = append(names, op)
	}
	slices.SortFunc(names, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	if len(names) > 3 {
		names = append(names[:3:3], "…")
	}
	return strings.Join(names, ", ")
}
