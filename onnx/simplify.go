package onnx

import "fmt"

// Simplify rewrites g, in place, into a graph that computes the same outputs with
// less work. It is for inference: normalisations and other constants around a layer
// disappear into its weights, so their names are gone; a graph that is to be trained
// further is better left alone. Graphs nested in nodes (If, Loop) stay as they are.
//
// Each rewrite has its file, which says when it is exact and what it saves. They
// run in rounds until none finds anything, because one makes room for another: a
// Shape becomes a constant, the Reshape behind it a no-op, and a BatchNormalization
// then meets its Conv.
func Simplify(g *Graph) error {
	for range maxRounds {
		if err := Infer(g); err != nil {
			return fmt.Errorf("simplifying %s: %w", g.Name, err)
		}
		changed := false
		for _, rewrite := range []func(*editor) bool{
			foldConstants,
			removeNoOps,
			mergeTransposes,
			fixReshapes,
			fixResizes,
			mergeReshapes,
			foldBatchNorm,
			foldScale,
			foldPad,
			projectBeforeResize,
			removeDead,
		} {
			e := newEditor(g)
			changed = rewrite(e) || changed
			e.sweep()
		}
		if !changed {
			break
		}
	}
	shareConstants(newEditor(g))
	return Infer(g)
}

// maxRounds bounds the rounds of Simplify. Every rewrite takes something away or
// moves it towards the input, so the rounds end by themselves; exported networks
// need fewer than ten, and a graph that is cut short is still right.
const maxRounds = 16
