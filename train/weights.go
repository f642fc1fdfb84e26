package train

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Assign gives constants of g their values by name.
func Assign(g *onnx.Graph, weights map[string]*tensor.Tensor) error {
	found := map[string]bool{}
	for _, n := range g.Nodes {
		for _, v := range reads(n) {
			w, ok := weights[v.Name]
			if !ok || !v.IsConst() {
				continue
			}
			if w.DType != v.DType || !slices.Equal(w.Shape, v.Shape) {
				return fmt.Errorf("constant %q is %s %v, its value %s %v", v.Name, v.DType, v.Shape, w.DType, w.Shape)
			}
			v.Data, found[v.Name] = w, true
		}
	}
	for name := range weights {
		if !found[name] {
			return fmt.Errorf("%s has no constant %q", g.Name, name)
		}
	}
	return nil
}
