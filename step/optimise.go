package step

import "trilobite/onnx"

// optimise rewrites a whole step, forward, backward and update, into one that computes
// the same with less work. Rewrites that make a step fast are called from here.
func optimise(g *onnx.Graph) error {
	for _, rewrite := range []func(*onnx.Graph) error{layRows, spellLogSoftmax, flattenScaled} {
		if err := rewrite(g); err != nil {
			return err
		}
	}
	return onnx.Tidy(g)
}
