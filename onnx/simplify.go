package onnx

import "fmt"

// Simplify rewrites g, in place, into a graph that computes the same outputs with
// less work. It is for inference: normalisations and other constants around a layer
// disappear into its weights, so their names are gone; a graph that is to be trained
// further is better left alone. Graphs nested in nodes (If, Loop) stay as they
// are, but for the branch of an If that is known to be taken.
//
// Each rewrite has its file, which says when it is exact and what it saves. They
// run in rounds until none finds anything, because one makes room for another: a
// Shape becomes a constant, the Reshape behind it a no-op, and a BatchNormalization
// then meets its Conv.
func Simplify(g *Graph) error {
	return simplify(g, []func(*editor) bool{
		foldConstants,
		takeBranches,
		cutPieces,
		removeNoOps,
		mergeTransposes,
		fixReshapes,
		fixResizes,
		mergeReshapes,
		foldDense,
		foldBatchNorm,
		foldScale,
		foldPad,
		projectBeforeResize,
		removeDead,
	})
}

// Tidy is Simplify without the rewrites that merge layers: it computes what is
// constant, computes once what is computed twice, drops what does nothing or is read by
// nobody, and projects before it resizes. It suits a graph that is differentiated or
// trained.
func Tidy(g *Graph) error {
	return simplify(g, []func(*editor) bool{
		foldConstants,
		takeBranches,
		cutPieces,
		removeNoOps,
		mergeTransposes,
		fixReshapes,
		mergeReshapes,
		projectBeforeResize,
		oneConstantEach,
		shareNodes,
		removeDead,
	})
}

// RemoveDead drops the nodes of g on which none of its outputs depends.
func RemoveDead(g *Graph) {
	e := newEditor(g)
	removeDead(e)
	e.sweep()
}

func simplify(g *Graph, rewrites []func(*editor) bool) error {
	for range maxRounds {
		if err := Infer(g); err != nil {
			return fmt.Errorf("simplifying %s: %w", g.Name, err)
		}
		changed := false
		for _, rewrite := range rewrites {
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

// oneConstantEach is shareConstants for shareNodes, which tells constants by their place;
// that it finds some is no reason for another round.
func oneConstantEach(e *editor) bool {
	shareConstants(e)
	return false
}

// maxRounds bounds the rounds of Simplify. Every rewrite takes something away or
// moves it towards the input, so the rounds end by themselves; exported networks
// need fewer than ten, and a graph that is cut short is still right.
const maxRounds = 16
