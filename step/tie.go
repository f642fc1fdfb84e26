package step

import (
	"regexp"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Tie lets a weight of which a file has a transposed copy be one weight: each copy becomes
// a Transpose of the other initializer, so that both uses add up to one derivative. A
// language model whose head is its embedding is written so, for PyTorch's exporters fold
// the transposition of a matrix into a second initializer. A copy is told by its name,
// which tracing makes up (onnx::MatMul_12), or by what the file says it was folded from,
// and by its elements. It returns the copies, each with the name of its original.
func Tie(g *onnx.Graph) (map[string]string, error) {
	var matrices []*onnx.Value
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v != nil && v.Initializer && len(v.Shape) == 2 && v.DType.IsFloat() && !slices.Contains(matrices, v) {
				matrices = append(matrices, v)
			}
		}
	}
	tied := map[string]string{}
	for _, v := range matrices {
		i := slices.IndexFunc(matrices, func(w *onnx.Value) bool { return w != v && copyOf(v, w) && transposed(v.Data, w.Data) })
		if i < 0 {
			continue
		}
		if err := replaceByTranspose(g, v, matrices[i]); err != nil {
			return nil, err
		}
		tied[v.Name] = matrices[i].Name
	}
	return tied, nil
}

// generated are names that PyTorch's exporter makes up for what it has folded.
var generated = regexp.MustCompile(`^onnx::\w+_\d+$`)

// copyOf reports whether the names say that v may have been computed from w.
func copyOf(v, w *onnx.Value) bool {
	if len(v.FoldedFrom) > 0 {
		return slices.Equal(v.FoldedFrom, []string{w.Name})
	}
	return generated.MatchString(v.Name) && !generated.MatchString(w.Name)
}

// transposed reports whether the matrices of floats are each other's transpose, bit for bit.
func transposed(a, b *tensor.Tensor) bool {
	if a.Shape[0] != b.Shape[1] || a.Shape[1] != b.Shape[0] {
		return false
	}
	switch x := a.Raw().(type) {
	case []float32:
		y, ok := tensor.Data[float32](b)
		return ok && flipped(x, y, int(b.Shape[1]))
	case []float64:
		y, ok := tensor.Data[float64](b)
		return ok && flipped(x, y, int(b.Shape[1]))
	default:
		return false
	}
}

// flipped reports whether x is the transpose of y, a matrix of some columns.
func flipped[T comparable](x, y []T, columns int) bool {
	rows := len(y) / max(columns, 1)
	for i := range rows {
		for j := range columns {
			if x[j*rows+i] != y[i*columns+j] {
				return false
			}
		}
	}
	return true
}

// replaceByTranspose lets what reads v read the transpose of w.
func replaceByTranspose(g *onnx.Graph, v, w *onnx.Value) error {
	first := slices.IndexFunc(g.Nodes, func(n *onnx.Node) bool { return slices.Contains(n.In, v) })
	readers := slices.Clone(g.Nodes[first:])
	return insertBefore(g, g.Nodes[first], func(e *onnx.Builder) {
		y := e.Transpose(w, 1, 0)
		for _, n := range readers {
			for i := range n.In {
				if n.In[i] == v {
					n.In[i] = y
				}
			}
		}
	})
}
