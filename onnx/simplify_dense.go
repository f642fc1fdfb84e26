package onnx

import "maps"

// foldDense makes a Gemm of a product with constant weights, (N, K)·(K, M), and of the
// addition of a constant (M) behind it: a dense layer as Keras writes it, which other
// rewrites and training then know as a layer.
//
// Exact up to rounding. Saves a pass over the output.
func foldDense(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		if n.Domain != "" || e.removed[n] || len(n.Out) != 1 {
			continue
		}
		switch {
		case n.Op == "MatMul" && isDense(n):
			n.Op = "Gemm"
			changed = true
		case n.Op == "Add" && len(n.In) == 2:
			for i := range 2 {
				layer := e.only(n.In[i], "Gemm")
				if layer == nil || !isDense(layer) || len(layer.In) > 2 && layer.In[2] != nil {
					continue
				}
				b := n.In[1-i]
				if b == nil || !b.IsConst() || len(b.Shape) != 1 || b.Shape[0] != n.In[i].Shape[1] || b.DType != n.In[i].DType {
					continue
				}
				layer.Attrs = maps.Clone(layer.Attrs)
				delete(layer.Attrs, "beta")
				e.setInput(layer, 2, b)
				e.absorb(layer, n)
				changed = true
				break
			}
		}
	}
	return changed
}

// isDense reports whether n multiplies rows with a constant matrix.
func isDense(n *Node) bool {
	return len(n.In) >= 2 && n.In[0] != nil && n.In[1] != nil && n.In[1].IsConst() && len(n.In[1].Shape) == 2 &&
		len(n.In[0].Shape) == 2 && len(n.Out[0].Shape) == 2 && n.Out[0].Shape[1] > 0
}
